"""Concept erasure and reduced-rank regression."""
