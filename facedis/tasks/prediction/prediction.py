"""Predict the expression of every face in images."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from facedis import plugins
from facedis.faces.alignment.align_images import CropOptions
from facedis.faces.cropping.all_faces import ImageFaces, crop_all_faces
from facedis.faces.cropping.crop import CropSettings
from facedis.metrics.classification.calibration import softmax
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run
from facedis.result import Result, to_jsonable
from facedis.tasks.encoding.encode import encode_faces
from facedis.tasks.encoding.image_codes import ImageLike, list_images
from facedis.tasks.encoding.temperature import Calibration
from facedis.tasks.prediction.inputs import InputImage, list_inputs

if TYPE_CHECKING:
    from facedis.tasks.similarity.neighbours import Neighbours

#: Most images and pixels per chunk, and most faces per batch; they bound the memory.
MAX_IMAGES, MAX_PIXELS, MAX_FACES = 64, 20_000_000, 128
#: Default number of neighbours.
TOP_K = 3
_NO_FACE = "no face was found in it"


@dataclass(frozen=True, slots=True)
class FacePrediction:
    """The prediction for one face.

    Attributes:
        box: Left, top, right and bottom in the image, in pixels; None if the image was not searched for faces.
        detection: Probability that the box holds a face; None if the image was not searched for faces.
        expression: The most probable class.
        confidence: Its probability.
        probabilities: Probability of each class by name, in falling order.
        neighbours: As `Neighbours.nearest`; empty without neighbours.
    """

    box: tuple[float, ...] | None
    detection: float | None
    expression: str
    confidence: float
    probabilities: dict[str, float]
    neighbours: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class ImagePrediction:
    """The predictions for one image, the largest face first, or the `problem` why there are none."""

    image: InputImage
    faces: Sequence[FacePrediction] = ()
    problem: str = ""

    def to_dict(self, run: Run, temperature: float | None) -> dict[str, Any]:
        """One line of the JSON output; the keys are documented in docs/predict.md."""
        pixels = self.image.decoded.pixels
        width, height = (None, None) if pixels is None else pixels.shape[1::-1]
        return {
            "model": run.display_name,
            "file": self.image.path,
            "frame": self.image.frame,
            "seconds": self.image.seconds,
            "width": width,
            "height": height,
            "faces": [to_jsonable(face) for face in self.faces],
            "problem": self.problem or None,
            "temperature": temperature,
        }


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """Options of a prediction.

    Attributes:
        crop: "box", "similarity" or "none" (the images are cropped faces); None for the crop of the training faces.
        min_face_size: Side of the smallest face to detect, in pixels; None for the default of `facedis align`.
        neighbours: Faces among which the nearest are listed.
        top_k: Number of neighbours of each face.
        device: "auto", "cpu", "cuda" or "mps".
    """

    crop: str | None = None
    min_face_size: int | None = None
    neighbours: "Neighbours | None" = None
    top_k: int = TOP_K
    device: str = "auto"


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class PredictionResult(Result):
    """Predictions for the faces of images.

    Attributes:
        model: Name of the model.
        n: Faces.
        classes: Expressions of the model.
        temperature: Temperature of the probabilities; None if they are not calibrated.
        images: One prediction per image.
    """

    kind: ClassVar[str] = "prediction"

    model: str
    n: int
    classes: tuple[str, ...]
    temperature: float | None
    images: Sequence[ImagePrediction]

    @property
    def faces(self) -> list[FacePrediction]:
        """The faces of all images."""
        return [face for image in self.images for face in image.faces]

    def to_dict(self) -> dict[str, Any]:
        """The record: `faces` with one entry per face, and `problems` of images without a face."""
        faces = [{"image": image.image.path} | to_jsonable(face) for image in self.images for face in image.faces]
        problems = [{"image": image.image.path, "why": image.problem} for image in self.images if image.problem]
        record = {name: value for name, value in super().to_dict().items() if name != "images"}
        return record | {"faces": faces, "problems": problems}

    def table_rows(self) -> Sequence[Mapping[str, Any]]:
        """One row per face."""
        rows: list[dict[str, Any]] = self.to_dict()["faces"]
        return [{name: value for name, value in row.items() if name != "neighbours"} for row in rows]

    def summary(self) -> Mapping[str, object]:
        """The predicted expressions."""
        return {"expressions": [face.expression for face in self.faces[:10]]}


def predict(
    run: Run, images: Sequence[ImageLike] | np.ndarray, options: PredictOptions | None = None
) -> PredictionResult:
    """Predict the expression of every face in a list of images.

    Args:
        run: The model.
        images: Files, Pillow images, uint8 arrays, or a mixture.
        options: Crop, detection, neighbours and device.

    Raises:
        InputError: `images` is not a list of images. An image that cannot be read is not an error: it has a `problem`.
        ConfigError: The detector or the device does not exist, or `min_face_size` is out of range.
    """
    calibration = Calibration.from_run(run)
    predictions = list(predict_stream(run, list_inputs(list_images(images)), options or PredictOptions()))
    return PredictionResult(
        model=run.display_name,
        n=sum(len(prediction.faces) for prediction in predictions),
        classes=run.classes,
        temperature=calibration.temperature if calibration.fitted else None,
        images=predictions,
    )


def predict_stream(run: Run, images: Iterable[InputImage], options: PredictOptions) -> Iterator[ImagePrediction]:
    """Predict the expression of every face in a stream of images, in order.

    Raises:
        ConfigError: The detector or the device does not exist, or `min_face_size` is out of range.
        RunError: The calibration of the run is broken.
    """
    temperature = Calibration.from_run(run).temperature
    config = CropOptions.from_info(run.info["faces"]).config(options.crop, options.device)
    if options.min_face_size is not None:
        config = replace(config, min_face_size=options.min_face_size)
    settings, detector = CropSettings(config.crop, config.image_size, config.margin), None
    if config.crop != "none":
        detector = plugins.load_by_name(plugins.DETECTORS, config.detector)(config.device, config.min_face_size)
    for chunk in _chunks(images):
        detected = crop_all_faces([image.decoded for image in chunk], settings, detector)
        predictions = _predict_faces(run, detected, options, temperature)
        for image, found in zip(chunk, detected, strict=True):
            faces = [next(predictions) for _ in range(len(found.faces))]
            yield ImagePrediction(image, faces, "" if faces else image.decoded.reason or _NO_FACE)


def _chunks(images: Iterable[InputImage]) -> Iterator[list[InputImage]]:
    chunk: list[InputImage] = []
    pixels = 0
    for image in images:
        chunk.append(image)
        pixels += 0 if image.decoded.pixels is None else image.decoded.pixels.size // 3
        if len(chunk) >= MAX_IMAGES or pixels >= MAX_PIXELS:
            yield chunk
            chunk, pixels = [], 0
    if chunk:
        yield chunk


def _predict_faces(
    run: Run, detected: Sequence[ImageFaces], options: PredictOptions, temperature: float
) -> Iterator[FacePrediction]:
    """The predictions for all faces of a chunk, in order."""
    if not any(len(found.faces) for found in detected):
        return
    faces = np.concatenate([found.faces for found in detected])
    boxes = [box for found in detected for box in _per_face(found.boxes, found)]
    detections = [probability for found in detected for probability in _per_face(found.probabilities, found)]
    device = pick_device(options.device)
    for start in range(0, len(faces), MAX_FACES):
        codes = encode_faces(run, faces[start : start + MAX_FACES], device, ("expression", "logits"))
        probabilities = softmax(codes["logits"], temperature)
        neighbours: Sequence[Sequence[dict[str, Any]]] = [()] * len(probabilities)
        if options.neighbours is not None:
            neighbours = options.neighbours.nearest(codes["expression"], options.top_k)
        for i, row in enumerate(probabilities):
            yield _face(run.classes, boxes[start + i], detections[start + i], row, neighbours[i])


def _per_face(values: np.ndarray | None, found: ImageFaces) -> Sequence[Any]:
    return [None] * len(found.faces) if values is None else list(values)


def _face(
    classes: Sequence[str],
    box: np.ndarray | None,
    detection: float | None,
    probabilities: np.ndarray,
    neighbours: Sequence[dict[str, Any]],
) -> FacePrediction:
    order = np.argsort(-probabilities, kind="stable").tolist()
    return FacePrediction(
        box=None if box is None else tuple(round(float(edge), 1) for edge in box),
        detection=None if detection is None else round(float(detection), 4),
        expression=classes[order[0]],
        confidence=round(float(probabilities[order[0]]), 6),
        probabilities={classes[k]: round(float(probabilities[k]), 6) for k in order},
        neighbours=neighbours,
    )
