"""Quality of generated images and of swaps."""
