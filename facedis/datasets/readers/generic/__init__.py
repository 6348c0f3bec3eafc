"""Readers of a user's own folders and of synthetic faces."""
