"""Crop faces from images, and paste faces back."""
