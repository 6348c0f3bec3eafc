"""The network of Fig. 1, its losses, and how it is stored."""
