"""What a face detector is: images in, boxes and landmarks out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class Detections:
    """The n faces found in one image, in no particular order.

    Attributes:
        boxes: (n, 4) float32 left, top, right, bottom in pixels; may reach beyond the image.
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
    """Finds faces. An entry point of `facedis.detectors`.

    One that has the attribute `needs_records`, and it is true, is given the dataset's records of the
    images as a second argument of `detect`.

    Attributes:
        name: Short name, the one of the entry point.
    """

    name: str

    def __init__(self, device: str, min_face: int) -> None:
        """`device` is "cpu", "cuda" or "mps"; `min_face` the smallest face to find, in pixels."""
        ...

    def detect(self, images: list[np.ndarray]) -> list[Detections]:
        """The faces in each of `images`, (H, W, 3) uint8 RGB of any sizes, also very small ones.

        The result of an image may depend on the others of the call in the last bits only.
        """
        ...


def no_detections() -> Detections:
    """The detections of an image without a face."""
    return Detections(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32))


def select_face(found: Detections, shape: tuple[int, ...], policy: str) -> int:
    """Index of the face to take where several were found.

    Args:
        found: At least one face.
        shape: Of the image, height first.
        policy: "largest" box, most "central" box centre, or "most-certain".
    """
    left, top, right, bottom = found.boxes.T
    if policy == "largest":
        return int(np.argmax((right - left) * (bottom - top)))
    if policy == "central":
        return int(np.argmin(np.hypot(left + right - shape[1], top + bottom - shape[0])))
    return int(np.argmax(found.probabilities))
