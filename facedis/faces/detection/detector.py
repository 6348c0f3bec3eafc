"""Interface of face detectors: images in, boxes and landmarks out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class Detections:
    """The n faces detected in one image, in any order.

    Attributes:
        boxes: (n, 4) float32 left, top, right, bottom in pixels; may extend beyond the image.
        landmarks: (n, 5, 2) float32 x, y in pixels of the eye, eye, nose, mouth corner, mouth
            corner, each pair from the image's left to its right.
        probabilities: (n,) float32 in 0..1.
    """

    boxes: np.ndarray
    landmarks: np.ndarray
    probabilities: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)


class Detector(Protocol):
    """Detects faces. Detectors are entry points of the group `facedis.detectors`.

    If a detector has a true attribute `needs_records`, `detect` gets the records of the images as
    second argument.

    Attributes:
        name: Name of the entry point.
    """

    name: str

    def __init__(self, device: str, min_face_size: int) -> None:
        """`device` is "auto", "cpu", "cuda" or "mps"; `min_face_size` is the smallest face to detect, in pixels."""
        ...

    def detect(self, images: list[np.ndarray]) -> list[Detections]:
        """Detect the faces in each of `images`, (H, W, 3) uint8 RGB of any sizes.

        The result for an image may depend on the other images of the call only by rounding.
        """
        ...


def no_detections() -> Detections:
    """Return the detections of an image without a face."""
    return Detections(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32))


def select_face(found: Detections, shape: tuple[int, ...], policy: str) -> int:
    """Select one of the detected faces and return its index.

    Args:
        found: At least one face.
        shape: Shape of the image, height first.
        policy: "largest" box, "central" for the box nearest to the centre, or "most-certain".
    """
    left, top, right, bottom = found.boxes.T
    if policy == "largest":
        return int(np.argmax((right - left) * (bottom - top)))
    if policy == "central":
        return int(np.argmin(np.hypot(left + right - shape[1], top + bottom - shape[0])))
    return int(np.argmax(found.probabilities))
