"""Readers: a folder as it lies on disk to a stream of records."""
