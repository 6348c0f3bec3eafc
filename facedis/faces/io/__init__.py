"""Read image and video files."""
