"""Pack, verify and export models."""
