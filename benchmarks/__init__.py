"""Side by side: hsi_suite against the usual way. `make bench` runs them; nothing is installed."""
