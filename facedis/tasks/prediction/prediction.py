"""What a model reads in the faces of photographs: all faces of each, in batches across photographs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from facedis import plugins
from facedis.faces.alignment.align_images import crop_config
from facedis.faces.cropping.all_faces import ImageFaces, crop_all_faces
from facedis.faces.cropping.crop import CropSettings
from facedis.metrics.classification.calibration import softmax
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run
from facedis.tasks.encoding.encode import encode_faces
from facedis.tasks.encoding.temperature import Calibration
from facedis.tasks.prediction.inputs import InputImage

if TYPE_CHECKING:  # only who compares waits for what comparing needs
    from facedis.tasks.similarity.neighbours import Neighbours

#: Most images and pixels that are worked on together, and most faces: bounds of the memory.
MAX_IMAGES, MAX_PIXELS, MAX_FACES = 64, 20_000_000, 128
#: Neighbours that are given where the user does not say how many.
TOP_K = 3
_NO_FACE = "no face was found in it"


@dataclass(frozen=True, slots=True)
class FacePrediction:
    """One face and what the model reads in it.

    Attributes:
        box: (4,) left, top, right, bottom in the image; None where the image is the face.
        detection: Probability that it is a face; None likewise.
        expression: The likeliest class.
        confidence: Its probability.
        probabilities: Of every class, by name, the likeliest first.
        neighbours: As `Neighbours.nearest`; empty where there is nothing to compare with.
    """

    box: tuple[float, ...] | None
    detection: float | None
    expression: str
    confidence: float
    probabilities: dict[str, float]
    neighbours: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class ImagePrediction:
    """One picture with its faces, the largest first, or the `problem` why there is none."""

    picture: InputImage
    faces: Sequence[FacePrediction] = ()
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """How pictures are looked at.

    Attributes:
        crop: As in `align_photographs`.
        min_face: Side of the smallest face to find in pixels; None for the default of `align`.
        neighbours: Faces to compare with.
        top: How many of them to name for each face.
        device: As in the settings.
        calibration: What makes probabilities of logits.
    """

    crop: str | None = None
    min_face: int | None = None
    neighbours: "Neighbours | None" = None
    top: int = TOP_K
    device: str = "auto"
    calibration: Calibration = field(default_factory=Calibration)


def predict(run: Run, pictures: Iterable[InputImage], options: PredictOptions) -> Iterator[ImagePrediction]:
    """What `run` reads in each of `pictures`, in their order.

    Raises:
        ConfigError: The detector or the device is not there, or `min_face` is out of range.
    """
    config = crop_config(run, options.crop, options.device)
    if options.min_face is not None:
        config = replace(config, min_face=options.min_face)
    settings, detector = CropSettings(config.crop, config.size, config.margin), None
    if config.crop != "none":
        detector = plugins.load_by_name(plugins.DETECTORS, config.detector)(config.device, config.min_face)
    for portion in _portions(pictures):
        found = crop_all_faces([picture.image for picture in portion], settings, detector)
        read = iter(_read(run, found, options))
        for picture, each in zip(portion, found, strict=True):
            faces = [next(read) for _ in range(len(each.faces))]
            yield ImagePrediction(picture, faces, "" if faces else picture.image.reason or _NO_FACE)


def _portions(pictures: Iterable[InputImage]) -> Iterator[list[InputImage]]:
    portion, pixels = [], 0
    for picture in pictures:
        portion.append(picture)
        pixels += 0 if picture.image.pixels is None else picture.image.pixels.size // 3
        if len(portion) >= MAX_IMAGES or pixels >= MAX_PIXELS:
            yield portion
            portion, pixels = [], 0
    if portion:
        yield portion


def _read(run: Run, found: Sequence[ImageFaces], options: PredictOptions) -> Iterator[FacePrediction]:
    """Every face of a portion of images, one after the other."""
    total = sum(len(each.faces) for each in found)
    if not total:
        return
    faces = np.concatenate([each.faces for each in found])
    boxes = [box for each in found for box in (each.boxes if each.boxes is not None else [None] * len(each.faces))]
    chances = [
        chance
        for each in found
        for chance in (each.probabilities if each.probabilities is not None else [None] * len(each.faces))
    ]
    place = pick_device(options.device)
    for start in range(0, total, MAX_FACES):
        codes = encode_faces(run, faces[start : start + MAX_FACES], place, ("expression", "logits"))
        probabilities = softmax(codes["logits"], options.calibration.temperature)
        near: Sequence[Sequence[dict[str, Any]]] = [()] * len(probabilities)
        if options.neighbours is not None:
            near = options.neighbours.nearest(codes["expression"], options.top)
        for number, row in enumerate(probabilities):
            yield _face(run.classes, boxes[start + number], chances[start + number], row, near[number])


def _face(
    classes: Sequence[str],
    box: np.ndarray | None,
    chance: float | None,
    row: np.ndarray,
    near: Sequence[dict[str, Any]],
) -> FacePrediction:
    order = np.argsort(-row, kind="stable").tolist()
    return FacePrediction(
        box=None if box is None else tuple(round(float(edge), 1) for edge in box),
        detection=None if chance is None else round(float(chance), 4),
        expression=classes[order[0]],
        confidence=round(float(row[order[0]]), 6),
        probabilities={classes[place]: round(float(row[place]), 6) for place in order},
        neighbours=near,
    )
