"""The keys of the configurations, one file for each task and one for what they share."""
