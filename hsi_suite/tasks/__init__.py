"""What each task adds: its data, networks, figures and pages."""
