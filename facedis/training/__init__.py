"""Adversarial training: the two steps, the loop, the run folder."""
