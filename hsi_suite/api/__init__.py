"""The front door for Python: estimators and functions over arrays."""
