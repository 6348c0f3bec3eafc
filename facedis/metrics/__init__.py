"""Metrics of codes and images: arrays in, numbers out."""
