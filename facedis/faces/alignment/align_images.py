"""Detect and crop the faces of any images the way the training faces of a model were cropped."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from facedis import plugins
from facedis.config import AlignConfig, resolve
from facedis.faces.alignment.aligner import Aligner
from facedis.faces.cache.cache_format import STATUSES, USABLE
from facedis.faces.cropping.crop import CropSettings
from facedis.faces.cropping.single_image import SingleFace, crop_single_faces
from facedis.faces.io.images import DecodedImage

#: Images per detection batch.
CHUNK_IMAGES = 64
_NO_FACE = "no face was found in it"


@dataclass(frozen=True, slots=True)
class CropOptions:
    """How the training faces of a model were cropped.

    Attributes:
        crop: "box", "similarity" or "none".
        size: Side of the face in pixels.
        margin: As `AlignConfig.margin`.
        detector: Name of the detector; "none" if the dataset contains cropped faces.
    """

    crop: str
    size: int
    margin: float
    detector: str

    @classmethod
    def from_info(cls, faces: Mapping[str, Any]) -> "CropOptions":
        """Read the options from the "faces" entry of a run's metadata."""
        return cls(faces["crop"], faces["size"], faces["margin"], faces["detector"])

    def config(self, crop: str | None = None, device: str = "auto") -> AlignConfig:
        """Return the settings that crop an image like the training faces.

        If the training faces came cropped, the images get a similarity crop without margin. It
        preserves the proportions of the face and is closest to what such datasets show.

        Args:
            crop: "box", "similarity", "none" (the image is a cropped face), or None for the crop of
                the training faces.
            device: Device of the detector: "auto", "cpu", "cuda" or "mps".

        Raises:
            ConfigError: The crop or the device does not exist.
        """
        precropped = self.crop == "none"
        return resolve(
            AlignConfig,
            {
                "crop": crop or ("similarity" if precropped else self.crop),
                "margin": 0.0 if precropped else self.margin,
                "image_size": self.size,
                "detector": "mtcnn" if self.detector in ("none", "annotations") else self.detector,
                "device": device,
            },
        )


def align_images(
    paths: Sequence[Path], options: CropOptions, crop: str | None = None, device: str = "auto"
) -> list[SingleFace]:
    """Crop the largest face of each image.

    Args:
        paths: Image files.
        options: How the training faces were cropped.
        crop: As in `CropOptions.config`.
        device: As in `CropOptions.config`.

    Raises:
        InputError: An image cannot be read or contains no face.
        ConfigError: The crop or the device does not exist.
    """
    return crop_single_faces(paths, options.config(crop, device))


@dataclass(frozen=True)
class AlignedChunk:
    """The faces of up to `CHUNK_IMAGES` consecutive images.

    Attributes:
        first: Index of the first image.
        faces: (k, S, S, 3) uint8.
        indices: (k,) int index of each face's image.
        multiple: (k,) bool, whether the image contains several faces.
        problems: (index, reason) of each image without a face.
        n_images: Number of images.
    """

    first: int
    faces: np.ndarray
    indices: np.ndarray
    multiple: np.ndarray
    problems: list[tuple[int, str]]
    n_images: int


def iter_aligned(
    images: Iterable[DecodedImage],
    n_images: int,
    options: CropOptions,
    crop: str | None = None,
    no_face: str = "skip",
    device: str = "auto",
) -> Iterator[AlignedChunk]:
    """Crop the largest face of each of any number of images, in chunks.

    Args:
        images: Decoded images.
        n_images: Number of images.
        options: How the training faces were cropped.
        crop: As in `CropOptions.config`.
        no_face: "skip" reports images without a face as problems; "full-image" uses the full image.
        device: As in `CropOptions.config`.
    """
    config = options.config(crop, device)
    detector = None
    if config.crop != "none":
        detector = plugins.load_by_name(plugins.DETECTORS, config.detector)(config.device, config.min_face_size)
    aligner = Aligner(
        CropSettings(config.crop, config.image_size, config.margin), detector, no_face, config.multiple_faces
    )
    stream = iter(images)
    for first in range(0, n_images, CHUNK_IMAGES):
        size, reasons = min(CHUNK_IMAGES, n_images - first), list[str]()
        aligned = aligner.align(_collect_reasons(islice(stream, size), reasons), size)
        status = np.array(STATUSES)[aligned.status]
        usable = np.isin(status, USABLE)
        found = np.flatnonzero(usable)
        problems = [(first + index, reasons[index] or _NO_FACE) for index in np.flatnonzero(~usable).tolist()]
        yield AlignedChunk(first, aligned.faces[usable], first + found, status[usable] == "several", problems, size)


def _collect_reasons(images: Iterable[DecodedImage], reasons: list[str]) -> Iterator[DecodedImage]:
    """Yield `images` and append the reason of each failed one, or "", to `reasons`."""
    for image in images:
        reasons.append(image.reason)
        yield image
