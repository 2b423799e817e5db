"""Configurations that ship with the package; see `hsi config list`."""
