"""Detect faces: MTCNN in batches, and the interface of other detectors."""
