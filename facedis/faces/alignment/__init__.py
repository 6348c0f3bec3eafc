"""Align a dataset or single images: detect, crop and store."""
