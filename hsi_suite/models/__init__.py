"""The networks and classical models of each task, built from `backbones`."""
