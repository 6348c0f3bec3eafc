"""Photographs as a run wants them: cut out as the faces were that it learned from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from facedis import plugins
from facedis.config import AlignConfig, resolve
from facedis.faces.alignment.aligner import Aligner
from facedis.faces.cache.cache import STATUSES, USABLE
from facedis.faces.cropping.crop import CropSettings
from facedis.faces.cropping.single_image import SingleFace, crop_single_faces
from facedis.faces.io.images import DecodedImage
from facedis.model.storage.checkpoint import Run

#: Images that are worked on together.
CHUNK_IMAGES = 64
_NO_FACE = "no face was found in it"


def align_images(run: Run, images: Sequence[Path], crop: str | None = None, device: str = "auto") -> list[SingleFace]:
    """The face of each image.

    Args:
        run: Says how its own faces were cut out. Where they came cut out already, a photograph is
            cut upright and without margin, which keeps the shape of the face and comes nearest to
            what such datasets show.
        images: Files with one face each; of several faces the largest is taken.
        crop: "box", "similarity", "none" (the image is a face already), or None for the run's way.
        device: Where faces are looked for, as in the settings.

    Raises:
        InputError: An image cannot be read or shows no face.
        ConfigError: There is no such device.
    """
    return crop_single_faces(images, crop_config(run, crop, device))


def crop_config(run: Run, crop: str | None = None, device: str = "auto") -> AlignConfig:
    """How a photograph must be cut out for `run`; `crop` and `device` as in `align_images`."""
    own = run.info["faces"]
    cut_elsewhere = own["crop"] == "none"
    return resolve(
        AlignConfig,
        {
            "crop": crop or ("similarity" if cut_elsewhere else own["crop"]),
            "margin": 0.0 if cut_elsewhere else own["margin"],
            "size": own["size"],
            "detector": "mtcnn" if own["detector"] in ("none", "annotations") else own["detector"],
            "device": device,
        },
    )


@dataclass(frozen=True)
class AlignedChunk:
    """Up to `CHUNK_IMAGES` images in a row and what became of them.

    Attributes:
        first: Place of the first of them among all.
        faces: (k, S, S, 3) uint8, those that were found.
        indices: (k,) int index of each face's image.
        multiple: (k,) bool, whether the image shows several faces.
        problems: (place, why in words) of each image without one.
        n_images: Number of images.
    """

    first: int
    faces: np.ndarray
    indices: np.ndarray
    multiple: np.ndarray
    problems: list[tuple[int, str]]
    n_images: int


def iter_aligned(
    run: Run,
    images: Iterable[DecodedImage],
    n_images: int,
    crop: str | None = None,
    no_face: str = "skip",
    device: str = "auto",
) -> Iterator[AlignedChunk]:
    """The faces of any number of images, a few at a time; what cannot be used is told and left out.

    Args:
        run: Says how its own faces were cut out.
        images: The images, decoded.
        n_images: How many there are.
        crop: As in `align_images`.
        no_face: "skip", or "full-image" to take all of an image without a face.
        device: As in `align_images`.
    """
    config = crop_config(run, crop, device)
    detector = None
    if config.crop != "none":
        detector = plugins.load_by_name(plugins.DETECTORS, config.detector)(config.device, config.min_face_size)
    aligner = Aligner(
        CropSettings(config.crop, config.image_size, config.margin), detector, no_face, config.multiple_faces
    )
    stream = iter(images)
    for first in range(0, n_images, CHUNK_IMAGES):
        size, reasons = min(CHUNK_IMAGES, n_images - first), []
        rows = aligner.align(_collect_reasons(islice(stream, size), reasons), size)
        names = np.array(STATUSES)[rows.status]
        good = np.isin(names, USABLE)
        problems = [(first + place, reasons[place] or _NO_FACE) for place in np.flatnonzero(~good).tolist()]
        yield AlignedChunk(
            first, rows.faces[good], first + np.flatnonzero(good), names[good] == "several", problems, size
        )


def _collect_reasons(images: Iterable[DecodedImage], reasons: list[str]) -> Iterator[DecodedImage]:
    for image in images:
        reasons.append(image.reason)
        yield image
