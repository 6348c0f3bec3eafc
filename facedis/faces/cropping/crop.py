"""From an image and where the face lies in it to a square face."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

#: Where eye, eye, nose, mouth corner, mouth corner come to lie in a similarity crop without margin, as
#: shares of its side. It is where they lie on the average of upright frontal photographs in a square
#: with the centre and the height of the detected box, made symmetric: a similarity crop shows as much
#: of a face as a box crop does, upright and in its own proportions.
LANDMARK_TEMPLATE = np.array([[0.323, 0.382], [0.677, 0.382], [0.5, 0.587], [0.345, 0.758], [0.655, 0.758]])
#: Side of the crop that `margin` is given for.
MARGIN_SIDE = 160


@dataclass(frozen=True, slots=True)
class CropSettings:
    """How faces are cut out.

    Attributes:
        crop: "box", "similarity" or "none".
        size: Side of the face in pixels.
        margin: Pixels around the box in a crop of `MARGIN_SIDE`, left and right together.
    """

    crop: str
    size: int
    margin: float


def crop_face(image: np.ndarray, box: np.ndarray, landmarks: np.ndarray, settings: CropSettings) -> np.ndarray:
    """Cut a face out of `image` (H, W, 3) uint8, giving (size, size, 3) uint8.

    Args:
        image: RGB pixels.
        box: (4,) left, top, right, bottom; used by "box".
        landmarks: (5, 2) x, y; used by "similarity".
        settings: "none" takes the whole image.
    """
    if settings.crop == "box":
        return box_crop(image, box, settings.size, settings.margin)
    if settings.crop == "similarity":
        return similarity_crop(image, landmarks, settings.size, settings.margin)
    return resize_image(image, settings.size)


def resize_image(image: np.ndarray, size: int) -> np.ndarray:
    """The whole image as (size, size, 3) uint8, antialiased; untouched where it has that size."""
    if image.shape[:2] == (size, size):
        return image
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))


def box_crop(image: np.ndarray, box: np.ndarray, size: int, margin: float) -> np.ndarray:
    """The face box with its margin, clipped at the image's border and made square.

    Gives the pixels of facenet-pytorch's `extract_face`, which the VGGFace2 weights expect: corners
    truncated to whole pixels, and a box that the border cuts is stretched to the square.
    """
    x0, y0, x1, y1 = _crop_corners(image.shape, box, margin)
    return resize_image(np.ascontiguousarray(image[y0:y1, x0:x1]), size)


def _crop_corners(shape: tuple[int, ...], box: np.ndarray, margin: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in whole pixels of what `box_crop` cuts out; at least one pixel."""
    height, width = shape[:2]
    left, top, right, bottom = (float(value) for value in box)
    # `margin` pixels of the finished crop, split between both sides.
    beside = margin * (right - left) / (MARGIN_SIDE - margin) / 2
    above = margin * (bottom - top) / (MARGIN_SIDE - margin) / 2
    x0, y0 = int(max(left - beside, 0)), int(max(top - above, 0))
    x1, y1 = int(min(right + beside, width)), int(min(bottom + above, height))
    x0, y0 = min(x0, width - 1), min(y0, height - 1)  # a box of less than a pixel keeps one
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def similarity_crop(image: np.ndarray, landmarks: np.ndarray, size: int, margin: float) -> np.ndarray:
    """The face turned, scaled and shifted so that its landmarks come nearest to `LANDMARK_TEMPLATE`.

    Beyond the image its edge goes on, as it does where training turns and shifts faces: a black
    border would be something that no face has, and tight photographs would all have it. Large faces
    are made smaller with an antialiasing filter before they are turned.
    """
    to_face = _similarity_matrix(landmarks, size, margin)
    picture, to_picture = _part_near_scale(image, to_face, size)
    # Pillow wants the way back, from the face to the picture.
    back = to_picture @ np.linalg.inv(to_face)
    face = picture.transform((size, size), Image.Transform.AFFINE, back[:2].ravel(), Image.Resampling.BICUBIC)
    return np.asarray(face)


def _similarity_matrix(landmarks: np.ndarray, size: int, margin: float) -> np.ndarray:
    """(3, 3) matrix from the image to the similarity crop."""
    edge = margin * size / MARGIN_SIDE
    return similarity_transform(landmarks, LANDMARK_TEMPLATE * (size - edge) + edge / 2)


def face_to_image(
    shape: tuple[int, ...], box: np.ndarray | None, landmarks: np.ndarray | None, settings: CropSettings
) -> np.ndarray:
    """The way back from a face to the image that `crop_face` cut it out of.

    Args:
        shape: (H, W, ...) of the image.
        box: As in `crop_face`.
        landmarks: As in `crop_face`.
        settings: Those of the crop; without a box the whole image was taken.

    Returns:
        (3, 3) matrix that takes (x, y, 1) in pixels of the face to pixels of the image.
    """
    if settings.crop == "similarity" and landmarks is not None:
        return np.linalg.inv(_similarity_matrix(landmarks, settings.size, settings.margin))
    x0, y0, x1, y1 = 0, 0, shape[1], shape[0]
    if settings.crop == "box" and box is not None:
        x0, y0, x1, y1 = _crop_corners(shape, box, settings.margin)
    return np.array([[(x1 - x0) / settings.size, 0, x0], [0, (y1 - y0) / settings.size, y0], [0, 0, 1]])


def similarity_transform(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The turn, scale and shift that brings `points` nearest to `targets` in the least-squares sense.

    Args:
        points: (n, 2), not all the same.
        targets: (n, 2).

    Returns:
        (3, 3) matrix for columns (x, y, 1).
    """
    a, b = (np.asarray(values, np.float64) @ [1, 1j] for values in (points, targets))
    # As complex numbers the transform is z -> turn * z + shift, so that least squares has a closed form.
    a_mean, b_mean = a.mean(), b.mean()
    turn = np.vdot(a - a_mean, b - b_mean) / max(np.vdot(a - a_mean, a - a_mean).real, 1e-12)
    shift = b_mean - turn * a_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag], [0, 0, 1]])


def _part_near_scale(image: np.ndarray, to_face: np.ndarray, size: int) -> tuple[Image.Image, np.ndarray]:
    """The part of `image` that the face shows, shrunk to about the face's scale, and the matrix to it."""
    height, width = image.shape[:2]
    corners = np.linalg.inv(to_face)[:2] @ np.array([[0, size, 0, size], [0, 0, size, size], [1, 1, 1, 1]])
    beyond = 4 / max(np.hypot(*to_face[:2, 0]), 1e-6)  # four of the face's pixels, for the filters
    first, last = corners.min(axis=1) - beyond, corners.max(axis=1) + beyond
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
    (above, below), (left, right) = np.ceil(outside.clip(0, 4 * size)).astype(int)  # landmarks may lie anywhere
    if outside.max() > 0:
        part = Image.fromarray(np.pad(np.asarray(part), ((above, below), (left, right), (0, 0)), "edge"))
    return part, np.array([[across, 0, left - x0 * across], [0, down, above - y0 * down], [0, 0, 1]])
