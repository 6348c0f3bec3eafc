"""Trunk architectures, registered as entry points of `facedis.trunks`."""
