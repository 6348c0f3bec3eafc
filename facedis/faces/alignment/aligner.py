"""Detection, selection and cropping of one face per image, with a status per image."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from facedis.datasets.record import FaceRecord
from facedis.faces.cache.cache_format import STATUSES
from facedis.faces.cache.cache_writer import AlignedFaces
from facedis.faces.cropping.crop import CropSettings, crop_face, resize_image
from facedis.faces.detection.detector import Detections, Detector, no_detections, select_face
from facedis.faces.io.images import DecodedImage

#: Approximate number of pixels per call of the detector.
_MAX_PIXELS = 20_000_000


@dataclass(frozen=True, slots=True)
class Aligner:
    """Aligns decoded images.

    Attributes:
        settings: Crop settings.
        detector: None if the images are cropped faces.
        no_face: "skip" leaves an image without a face out; "full-image" uses the full image.
        several: Policy of `select_face` for images with several faces.
    """

    settings: CropSettings
    detector: Detector | None
    no_face: str = "skip"
    several: str = "largest"

    def align(self, images: Iterable[DecodedImage], n: int, records: Sequence[FaceRecord] = ()) -> AlignedFaces:
        """Align `n` images, in batches of limited size.

        Args:
            images: Decoded images.
            n: Number of images.
            records: One record per image, for detectors that need them.
        """
        rows = _empty(n, self.settings.size)
        for start, batch in _split_by_pixels(images):
            found = self._detect(batch, records[start : start + len(batch)])
            for row, (image, faces) in enumerate(zip(batch, found, strict=True), start):
                self._fill(rows, row, image, faces)
        return rows

    def _detect(self, images: Sequence[DecodedImage], records: Sequence[FaceRecord]) -> list[Detections | None]:
        """Detect the faces of each image; None without a detector or pixels."""
        found: list[Detections | None] = [None] * len(images)
        decoded = {index: image.pixels for index, image in enumerate(images) if image.pixels is not None}
        if self.detector is not None and decoded:
            more = [[records[index] for index in decoded]] if getattr(self.detector, "needs_records", False) else []
            for index, faces in zip(decoded, self.detector.detect(list(decoded.values()), *more), strict=True):
                found[index] = self._require_crop_inputs(faces)
        return found

    def _require_crop_inputs(self, faces: Detections) -> Detections:
        """Return `faces`, or no detections if the box or the landmarks that the crop needs are missing."""
        needed = faces.landmarks if self.settings.crop == "similarity" else faces.boxes
        return faces if np.isfinite(needed).all() else no_detections()

    def _fill(self, rows: AlignedFaces, row: int, image: DecodedImage, faces: Detections | None) -> None:
        status, face = image.status, None
        if image.pixels is not None:
            if faces is None:
                face = resize_image(image.pixels, self.settings.size)
            elif len(faces):
                status = "ok" if len(faces) == 1 else "several"
                best = select_face(faces, image.pixels.shape, self.several)
                rows.boxes[row], rows.landmarks[row] = faces.boxes[best], faces.landmarks[best]
                rows.probability[row] = faces.probabilities[best]
                face = crop_face(image.pixels, faces.boxes[best], faces.landmarks[best], self.settings)
            elif self.no_face == "full-image":
                status, face = "whole", resize_image(image.pixels, self.settings.size)
            else:
                status = "no_face"
        rows.status[row] = STATUSES.index(status)
        if face is not None:
            rows.faces[row] = face
            rows.grey[row] = _is_grey_face(face)


def _split_by_pixels(images: Iterable[DecodedImage]) -> Iterator[tuple[int, list[DecodedImage]]]:
    """Yield (index of the first, images) in batches of limited size, which depend on the images only."""
    start, batch, pixels = 0, list[DecodedImage](), 0
    for image in images:
        batch.append(image)
        pixels += 0 if image.pixels is None else image.pixels.size // 3
        if pixels >= _MAX_PIXELS:
            yield start, batch
            start, batch, pixels = start + len(batch), [], 0
    if batch:
        yield start, batch


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
