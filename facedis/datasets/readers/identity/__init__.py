"""Readers of datasets with identities and no expressions."""
