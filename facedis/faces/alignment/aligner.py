"""Images to rows of the faces cache: detect, choose, cut out, and say what became of each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from facedis.datasets.record import FaceRecord
from facedis.faces.cache.cache import STATUSES, AlignedFaces
from facedis.faces.cropping.crop import CropSettings, crop_face, resize_image
from facedis.faces.detection.detector import Detections, Detector, no_detections, select_face
from facedis.faces.io.images import DecodedImage

#: Pixels of the images that go to the detector in one call.
_MAX_PIXELS = 20_000_000


@dataclass(frozen=True, slots=True)
class Aligner:
    """Turns decoded images into rows.

    Attributes:
        settings: How faces are cut out.
        detector: None where the images are faces already.
        no_face: "skip" leaves an image without a face out, "full-image" takes all of it.
        several: Which face to take of several, as `detector.select_face`.
    """

    settings: CropSettings
    detector: Detector | None
    no_face: str = "skip"
    several: str = "largest"

    def align(self, images: Iterable[DecodedImage], n: int, records: Sequence[FaceRecord] = ()) -> AlignedFaces:
        """The rows of `n` images; large ones are worked on a few at a time.

        Args:
            images: What was decoded.
            n: How many there are.
            records: One for each image, for detectors that need them.
        """
        rows = _empty(n, self.settings.size)
        for start, portion in _split_by_pixels(images):
            found = self._detect(portion, records[start : start + len(portion)])
            for row, (image, faces) in enumerate(zip(portion, found, strict=True), start):
                self._fill(rows, row, image, faces)
        return rows

    def _detect(self, images: Sequence[DecodedImage], records: Sequence[FaceRecord]) -> list[Detections | None]:
        """The faces of each image, None where no detector ran on it."""
        found: list[Detections | None] = [None] * len(images)
        readable = [place for place, image in enumerate(images) if image.pixels is not None]
        if self.detector is not None and readable:
            more = [[records[i] for i in readable]] if getattr(self.detector, "needs_records", False) else []
            faces = self.detector.detect([images[i].pixels for i in readable], *more)
            for place, each in zip(readable, faces, strict=True):
                found[place] = self._require_crop_inputs(each)
        return found

    def _require_crop_inputs(self, faces: Detections) -> Detections:
        """`faces`, or none where the box or the landmarks to cut out by are unknown."""
        needed = faces.landmarks if self.settings.crop == "similarity" else faces.boxes
        return faces if np.isfinite(needed).all() else no_detections()

    def _fill(self, rows: AlignedFaces, row: int, image: DecodedImage, faces: Detections | None) -> None:
        status = image.status
        if image.pixels is not None and faces is None:
            face = resize_image(image.pixels, self.settings.size)
        elif image.pixels is not None and len(faces):
            status = "ok" if len(faces) == 1 else "several"
            best = select_face(faces, image.pixels.shape, self.several)
            rows.boxes[row], rows.landmarks[row] = faces.boxes[best], faces.landmarks[best]
            rows.probability[row] = faces.probabilities[best]
            face = crop_face(image.pixels, faces.boxes[best], faces.landmarks[best], self.settings)
        elif image.pixels is not None and self.no_face == "full-image":
            status, face = "whole", resize_image(image.pixels, self.settings.size)
        else:
            status, face = ("no_face" if image.pixels is not None else status), None
        rows.status[row] = STATUSES.index(status)
        if face is not None:
            rows.faces[row] = face
            rows.grey[row] = _is_grey_face(face)


def _split_by_pixels(images: Iterable[DecodedImage]) -> Iterator[tuple[int, list[DecodedImage]]]:
    """(place of the first, images) in pieces that hold few enough pixels; depends on the images only."""
    start, portion, pixels = 0, [], 0
    for image in images:
        portion.append(image)
        pixels += 0 if image.pixels is None else image.pixels.size // 3
        if pixels >= _MAX_PIXELS:
            yield start, portion
            start, portion, pixels = start + len(portion), [], 0
    if portion:
        yield start, portion


def _is_grey_face(face: np.ndarray) -> bool:
    red, green, blue = face[..., 0], face[..., 1], face[..., 2]
    return np.array_equal(red, green) and np.array_equal(green, blue)


def _empty(n: int, size: int) -> AlignedFaces:
    return AlignedFaces(
        faces=np.zeros((n, size, size, 3), np.uint8),
        boxes=np.full((n, 4), np.nan, np.float32),
        landmarks=np.full((n, 5, 2), np.nan, np.float32),
        probability=np.full(n, np.nan, np.float32),
        status=np.zeros(n, np.uint8),
        grey=np.zeros(n, bool),
    )
