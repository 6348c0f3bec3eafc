"""Numbers about codes: arrays in, figures out."""
