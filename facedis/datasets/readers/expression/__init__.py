"""Readers of datasets with expression labels."""
