"""Probes: classifiers and regressors trained on frozen codes."""
