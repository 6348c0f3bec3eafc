"""Leakage, retention, collapse and disentanglement of codes."""
