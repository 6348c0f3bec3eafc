"""Training runs and ablations."""
