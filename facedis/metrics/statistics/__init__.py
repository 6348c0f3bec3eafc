"""Confidence intervals and model comparison."""
