"""Dataset readers, one module per published layout."""
