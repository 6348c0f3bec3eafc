"""Square face crops from boxes or landmarks."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

#: Positions of eyes, nose and mouth corners in a similarity crop without margin, as fractions of its
#: side. They are the symmetric average over upright frontal photographs, in a square with the centre
#: and the height of the detected box: both crops show the same part of the face.
LANDMARK_TEMPLATE = np.array([[0.323, 0.382], [0.677, 0.382], [0.5, 0.587], [0.345, 0.758], [0.655, 0.758]])
#: Side of the crop that `margin` refers to.
MARGIN_SIDE = 160


@dataclass(frozen=True, slots=True)
class CropSettings:
    """How faces are cropped.

    Attributes:
        crop: "box", "similarity" or "none".
        size: Side of the face in pixels.
        margin: Pixels added to the box in a crop of `MARGIN_SIDE`, left and right together.
    """

    crop: str
    size: int
    margin: float


def crop_face(image: np.ndarray, box: np.ndarray, landmarks: np.ndarray, settings: CropSettings) -> np.ndarray:
    """Crop a face from `image`, (H, W, 3) uint8, to (size, size, 3) uint8.

    Args:
        image: RGB pixels.
        box: (4,) left, top, right, bottom; used by "box".
        landmarks: (5, 2) x, y; used by "similarity".
        settings: Crop settings; the crop "none" resizes the full image.
    """
    if settings.crop == "box":
        return box_crop(image, box, settings.size, settings.margin)
    if settings.crop == "similarity":
        return similarity_crop(image, landmarks, settings.size, settings.margin)
    return resize_image(image, settings.size)


def resize_image(image: np.ndarray, size: int) -> np.ndarray:
    """Resize an image to (size, size, 3) uint8 with antialiasing; an image of that size is returned as it is."""
    if image.shape[:2] == (size, size):
        return image
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))


def box_crop(image: np.ndarray, box: np.ndarray, size: int, margin: float) -> np.ndarray:
    """Crop the face box with its margin, clipped to the image and resized to a square.

    The pixels equal those of facenet-pytorch's `extract_face`, the crop of the VGGFace2 weights:
    corners are truncated to integers, and a clipped box is stretched.
    """
    x0, y0, x1, y1 = _crop_corners(image.shape, box, margin)
    return resize_image(np.ascontiguousarray(image[y0:y1, x0:x1]), size)


def _crop_corners(shape: tuple[int, ...], box: np.ndarray, margin: float) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the box crop in pixels; at least one pixel."""
    height, width = shape[:2]
    left, top, right, bottom = (float(value) for value in box)
    # `margin` is given in pixels of the finished crop and split between both sides.
    beside = margin * (right - left) / (MARGIN_SIDE - margin) / 2
    above = margin * (bottom - top) / (MARGIN_SIDE - margin) / 2
    x0, y0 = int(max(left - beside, 0)), int(max(top - above, 0))
    x1, y1 = int(min(right + beside, width)), int(min(bottom + above, height))
    x0, y0 = min(x0, width - 1), min(y0, height - 1)  # at least one pixel
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def similarity_crop(image: np.ndarray, landmarks: np.ndarray, size: int, margin: float) -> np.ndarray:
    """Crop a face after the similarity transform that best maps its landmarks to `LANDMARK_TEMPLATE`.

    Pixels beyond the image repeat its edge, as in training augmentation. Large faces are reduced
    with antialiasing before the transform.
    """
    to_face = _similarity_matrix(landmarks, size, margin)
    part, to_part = _part_near_scale(image, to_face, size)
    # Pillow expects the inverse transform.
    inverse = to_part @ np.linalg.inv(to_face)
    face = part.transform((size, size), Image.Transform.AFFINE, inverse[:2].ravel().tolist(), Image.Resampling.BICUBIC)
    return np.asarray(face)


def _similarity_matrix(landmarks: np.ndarray, size: int, margin: float) -> np.ndarray:
    """Return the (3, 3) matrix from the image to the similarity crop."""
    edge = margin * size / MARGIN_SIDE
    return similarity_transform(landmarks, LANDMARK_TEMPLATE * (size - edge) + edge / 2)


def face_to_image(
    shape: tuple[int, ...], box: np.ndarray | None, landmarks: np.ndarray | None, settings: CropSettings
) -> np.ndarray:
    """Return the transform from a face to the image that `crop_face` cropped it from.

    Args:
        shape: Shape (H, W, ...) of the image.
        box: As in `crop_face`.
        landmarks: As in `crop_face`.
        settings: Settings of the crop; without a box the crop is the full image.

    Returns:
        (3, 3) matrix that maps (x, y, 1) in pixels of the face to pixels of the image.
    """
    if settings.crop == "similarity" and landmarks is not None:
        return np.linalg.inv(_similarity_matrix(landmarks, settings.size, settings.margin))
    x0, y0, x1, y1 = 0, 0, shape[1], shape[0]
    if settings.crop == "box" and box is not None:
        x0, y0, x1, y1 = _crop_corners(shape, box, settings.margin)
    return np.array([[(x1 - x0) / settings.size, 0, x0], [0, (y1 - y0) / settings.size, y0], [0, 0, 1]])


def similarity_transform(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the least-squares rotation, scale and translation from `points` to `targets`.

    Args:
        points: (n, 2), not all equal.
        targets: (n, 2).

    Returns:
        (3, 3) matrix for columns (x, y, 1).
    """
    a, b = (np.asarray(values, np.float64) @ [1, 1j] for values in (points, targets))
    # In complex numbers the transform is z -> turn * z + shift, which has a closed-form solution.
    a_mean, b_mean = a.mean(), b.mean()
    turn = np.vdot(a - a_mean, b - b_mean) / max(np.vdot(a - a_mean, a - a_mean).real, 1e-12)
    shift = b_mean - turn * a_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag], [0, 0, 1]])


def _part_near_scale(image: np.ndarray, to_face: np.ndarray, size: int) -> tuple[Image.Image, np.ndarray]:
    """Return the part of `image` that the face covers, reduced to about the scale of the face, and the matrix to it."""
    height, width = image.shape[:2]
    corners = np.linalg.inv(to_face)[:2] @ np.array([[0, size, 0, size], [0, 0, size, size], [1, 1, 1, 1]])
    border = 4 / max(np.hypot(*to_face[:2, 0]), 1e-6)  # four pixels of the face, for the resampling filters
    first, last = corners.min(axis=1) - border, corners.max(axis=1) + border
    x0, y0 = (int(value) for value in np.clip(first, 0, [width - 1, height - 1]))
    x1, y1 = (int(np.ceil(value)) for value in np.clip(last, [x0 + 1, y0 + 1], [width, height]))
    scale = min(float(np.hypot(*to_face[:2, 0])), 1.0)
    part = Image.fromarray(np.ascontiguousarray(image[y0:y1, x0:x1]))
    if scale < 1:
        part = part.resize(
            (max(round((x1 - x0) * scale), 1), max(round((y1 - y0) * scale), 1)), Image.Resampling.BICUBIC
        )
    across, down = part.width / (x1 - x0), part.height / (y1 - y0)
    outside = np.array([[y0 - first[1], last[1] - y1], [x0 - first[0], last[0] - x1]]) * [[down], [across]]
    (above, below), (left, right) = np.ceil(outside.clip(0, 4 * size)).astype(int)  # landmarks may be far outside
    if outside.max() > 0:
        part = Image.fromarray(np.pad(np.asarray(part), ((above, below), (left, right), (0, 0)), "edge"))
    return part, np.array([[across, 0, left - x0 * across], [0, down, above - y0 * down], [0, 0, 1]])
