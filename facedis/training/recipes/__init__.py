"""Optional training techniques, one module each."""
