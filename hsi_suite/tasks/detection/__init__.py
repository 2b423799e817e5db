"""Targets and anomalies in cubes: closed-form detectors, score maps, ROC."""
