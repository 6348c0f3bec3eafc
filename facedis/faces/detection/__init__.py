"""Face detection: batched MTCNN and the interface of other detectors."""
