"""The registry of shared encoders (En_base): entry points of `facedis.trunks`."""
