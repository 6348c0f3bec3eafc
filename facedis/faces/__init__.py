"""Face detection, cropping and alignment, and the faces cache."""
