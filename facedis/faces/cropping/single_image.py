"""Face crops of a few images; an image without a usable face is an error."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facedis import plugins
from facedis.config import FACE_SIZE, AlignConfig
from facedis.errors import InputError
from facedis.faces.cropping.crop import CropSettings, crop_face, resize_image
from facedis.faces.detection.detector import Detections, select_face
from facedis.faces.io.images import read_image


@dataclass(frozen=True, slots=True)
class SingleFace:
    """The face of one image.

    Attributes:
        path: Image file.
        face: (S, S, 3) uint8 RGB.
        box: (4,) float32 left, top, right, bottom in the image; None if no face was detected.
        landmarks: (5, 2) float32 x, y in the image; None if no face was detected.
        probability: Face probability in 0..1; None if no face was detected.
        n_faces: Number of detected faces; 0 without a detector.
    """

    path: Path
    face: np.ndarray
    box: np.ndarray | None = None
    landmarks: np.ndarray | None = None
    probability: float | None = None
    n_faces: int = 0


def crop_single_faces(paths: Sequence[Path], config: AlignConfig) -> list[SingleFace]:
    """Detect and crop one face per image; the crop "auto" means "box".

    Raises:
        InputError: An image cannot be used, or contains no face and `no_face` is "skip".
        ConfigError: The detector is unknown or its package is not installed.
    """
    crop = "box" if config.crop == "auto" else config.crop
    settings = CropSettings(crop, config.image_size or FACE_SIZE, config.margin)
    images = [read_image(path) for path in paths]
    if crop == "none":
        return [SingleFace(path, resize_image(image, settings.size)) for path, image in zip(paths, images, strict=True)]
    detector = plugins.load_by_name(plugins.DETECTORS, config.detector)(config.device, config.min_face_size)
    found = detector.detect(images)
    return [_crop_detected(*each, settings, config) for each in zip(paths, images, found, strict=True)]


def _crop_detected(
    path: Path, image: np.ndarray, found: Detections, settings: CropSettings, config: AlignConfig
) -> SingleFace:
    if not len(found):
        if config.no_face == "full-image":
            return SingleFace(path, resize_image(image, settings.size))
        raise InputError(f"no face was found in {path}", "add --crop none if the image is already a cropped face")
    best = select_face(found, image.shape, config.multiple_faces)
    box, landmarks = found.boxes[best], found.landmarks[best]
    face = crop_face(image, box, landmarks, settings)
    return SingleFace(path, face, box, landmarks, float(found.probabilities[best]), len(found))
