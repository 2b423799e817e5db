"""What each task adds to the house: its data, networks, figures and pages."""
