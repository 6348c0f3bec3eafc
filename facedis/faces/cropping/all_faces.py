"""Crops of all faces of an image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facedis.faces.cropping.crop import CropSettings, crop_face, resize_image
from facedis.faces.detection.detector import Detections, Detector
from facedis.faces.io.images import DecodedImage


@dataclass(frozen=True, slots=True)
class ImageFaces:
    """The n faces of one image, the largest first.

    Attributes:
        faces: (n, S, S, 3) uint8.
        boxes: (n, 4) float32 left, top, right, bottom in the image; None without a detector.
        probabilities: (n,) float32 face probability; None without a detector.
    """

    faces: np.ndarray
    boxes: np.ndarray | None = None
    probabilities: np.ndarray | None = None


def crop_all_faces(
    images: Sequence[DecodedImage], settings: CropSettings, detector: Detector | None
) -> list[ImageFaces]:
    """Crop all faces of each image; an image that could not be decoded has none.

    Args:
        images: Decoded images.
        settings: Crop settings.
        detector: None if the images are cropped faces.
    """
    readable = [image.pixels for image in images if image.pixels is not None]
    detected = iter(detector.detect(readable) if detector is not None and readable else ())
    image_faces = []
    for image in images:
        if image.pixels is None:
            image_faces.append(ImageFaces(_stack([], settings.size)))
        elif detector is None:
            image_faces.append(ImageFaces(resize_image(image.pixels, settings.size)[None]))
        else:
            image_faces.append(_crop_detections(image.pixels, next(detected), settings))
    return image_faces


def _crop_detections(pixels: np.ndarray, found: Detections, settings: CropSettings) -> ImageFaces:
    needed = found.landmarks if settings.crop == "similarity" else found.boxes
    usable = np.isfinite(needed).all(axis=tuple(range(1, needed.ndim)))  # not every detector returns landmarks
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    order = [index for index in np.argsort(-sides.prod(axis=1), kind="stable") if usable[index]]
    faces = [crop_face(pixels, found.boxes[index], found.landmarks[index], settings) for index in order]
    return ImageFaces(_stack(faces, settings.size), found.boxes[order], found.probabilities[order])


def _stack(faces: Sequence[np.ndarray], size: int) -> np.ndarray:
    return np.stack(faces) if len(faces) else np.zeros((0, size, size, 3), np.uint8)
