"""Checkpoints, packed models, pretrained weights and the model registry."""
