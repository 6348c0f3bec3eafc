"""The faces that a dataset gives itself, in the place of a detector's."""

from collections.abc import Sequence

import numpy as np

from facedis.datasets.record import FaceRecord
from facedis.faces.detection.detector import Detections, no_detections


class DatasetBoxes:
    """Takes the box and the landmarks of the dataset, NaN for what it does not give.

    A box that lies outside the image is no face. Runs no network, whatever `device` and `min_face`.
    """

    name = "given"
    needs_records = True

    def __init__(self, device: str, min_face: int) -> None:
        pass

    def detect(self, images: list[np.ndarray], records: Sequence[FaceRecord]) -> list[Detections]:
        """The face that each of `records` gives for its image."""
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
