"""Pairs of codes: similarity, verification and ranking."""
