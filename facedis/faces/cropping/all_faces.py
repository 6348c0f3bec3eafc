"""All faces of a photograph, not one: found, cut out, the largest first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facedis.faces.cropping.crop import CropSettings, crop_face, resize_image
from facedis.faces.detection.detector import Detections, Detector
from facedis.faces.io.images import DecodedImage


@dataclass(frozen=True, slots=True)
class ImageFaces:
    """The n faces of one image.

    Attributes:
        faces: (n, S, S, 3) uint8.
        boxes: (n, 4) float32 left, top, right, bottom in the image; None where no detector ran.
        probabilities: (n,) float32 that it is a face; None likewise.
    """

    faces: np.ndarray
    boxes: np.ndarray | None = None
    probabilities: np.ndarray | None = None


def crop_all_faces(
    images: Sequence[DecodedImage], settings: CropSettings, detector: Detector | None
) -> list[ImageFaces]:
    """The faces of each of `images`; none of one that could not be read.

    Args:
        images: What was decoded.
        settings: How faces are cut out.
        detector: None where the images are faces already.
    """
    readable = [image.pixels for image in images if image.pixels is not None]
    detected = iter(detector.detect(readable) if detector is not None and readable else ())
    found = []
    for image in images:
        if image.pixels is None:
            found.append(ImageFaces(_stack([], settings.size)))
        elif detector is None:
            found.append(ImageFaces(resize_image(image.pixels, settings.size)[None]))
        else:
            found.append(_crop_detections(image.pixels, next(detected), settings))
    return found


def _crop_detections(pixels: np.ndarray, found: Detections, settings: CropSettings) -> ImageFaces:
    needed = found.landmarks if settings.crop == "similarity" else found.boxes
    usable = np.isfinite(needed).all(axis=tuple(range(1, needed.ndim)))  # not every detector gives landmarks
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    order = [place for place in np.argsort(-sides.prod(axis=1), kind="stable") if usable[place]]
    faces = [crop_face(pixels, found.boxes[place], found.landmarks[place], settings) for place in order]
    return ImageFaces(_stack(faces, settings.size), found.boxes[order], found.probabilities[order])


def _stack(faces: Sequence[np.ndarray], size: int) -> np.ndarray:
    return np.stack(faces) if len(faces) else np.zeros((0, size, size, 3), np.uint8)
