"""The report of a classifier of images."""
