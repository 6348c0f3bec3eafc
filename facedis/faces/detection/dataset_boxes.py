"""Face boxes and landmarks from the annotations of a dataset."""

from collections.abc import Sequence

import numpy as np

from facedis.datasets.record import FaceRecord
from facedis.faces.detection.detector import Detections, no_detections


class DatasetBoxes:
    """Returns the annotated box and landmarks, NaN where an annotation is missing.

    A box outside the image counts as no face. `device` and `min_face_size` are ignored.
    """

    name = "given"
    needs_records = True

    def __init__(self, device: str, min_face_size: int) -> None:
        pass

    def detect(self, images: list[np.ndarray], records: Sequence[FaceRecord]) -> list[Detections]:
        """Return the annotated face of each image."""
        return [_annotated_face(image.shape, record) for image, record in zip(images, records, strict=True)]


def _annotated_face(shape: tuple[int, ...], record: FaceRecord) -> Detections:
    if record.box is None and record.landmarks is None:
        return no_detections()
    box = np.array(record.box or [np.nan] * 4, np.float32)
    left, top, right, bottom = box
    if right <= 0 or bottom <= 0 or left >= shape[1] or top >= shape[0]:
        return no_detections()
    landmarks = np.array(record.landmarks or [np.nan] * 10, np.float32).reshape(1, 5, 2)
    return Detections(box[None], landmarks, np.full(1, np.nan, np.float32))
