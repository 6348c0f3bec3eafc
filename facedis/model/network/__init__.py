"""The modules of the network of Fig. 1."""
