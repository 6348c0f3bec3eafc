"""Swap expressions and evaluate swaps."""
