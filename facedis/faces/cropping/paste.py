"""Blending of a generated face into the photograph."""

import numpy as np
from PIL import Image

#: Width of the blending border, as a fraction of the side of the face.
FEATHER = 0.22


def paste_face(image: np.ndarray, face: np.ndarray, to_image: np.ndarray, side: int) -> np.ndarray:
    """Blend `face` into `image` at the position it was cropped from.

    Pixels outside the mask are unchanged, bit for bit. In a grey image the face becomes grey; a grey
    face changes the luminance of a colour image but not its colours.

    Args:
        image: (H, W, 3) uint8, upright.
        face: (S, S, 3) uint8, any S.
        to_image: (3, 3) matrix from pixels of the crop to pixels of the image; see `crop.face_to_image`.
        side: Side of the crop in pixels; may differ from that of `face`.

    Returns:
        (H, W, 3) uint8.
    """
    if _is_greyscale(image):
        face = np.repeat(_luma(face), 3, axis=2)
    height, width = image.shape[:2]
    to_image = to_image @ np.diag([side / face.shape[0], side / face.shape[0], 1.0])
    corners = to_image[:2] @ np.array(
        [[0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]] * np.array([[face.shape[0]]] * 2 + [[1]])
    )
    x0, y0 = np.clip(np.floor(corners.min(axis=1)).astype(int), 0, [width, height])
    x1, y1 = np.clip(np.ceil(corners.max(axis=1)).astype(int), [x0, y0], [width, height])
    if x1 <= x0 or y1 <= y0:
        return image.copy()
    resized, scale = _shrink(face, to_image)
    # Pillow expects the transform from the part of the image to the face.
    inverse = scale @ np.linalg.inv(to_image) @ np.array([[1, 0, x0], [0, 1, y0], [0, 0, 1]])
    coefficients = inverse[:2].ravel().tolist()
    pixels, weight = (
        layer.transform((x1 - x0, y1 - y0), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC)
        for layer in (resized, Image.fromarray(feather_mask(resized.height), "F"))
    )
    alpha = np.clip(np.asarray(weight), 0, 1)[:, :, None]
    alpha[alpha < 1 / 512] = 0  # too small to change a pixel
    pasted, part = image.copy(), image[y0:y1, x0:x1]
    before = _luma(part) if _is_greyscale(face) else part
    blended = part + alpha * (np.asarray(pixels, np.float64) - before)
    pasted[y0:y1, x0:x1] = np.where(alpha > 0, blended.round().clip(0, 255), part).astype(np.uint8)
    return pasted


def _is_greyscale(image: np.ndarray) -> bool:
    return not np.ptp(image, axis=2).any()


def _luma(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image).convert("L"))[:, :, None]


def feather_mask(side: int) -> np.ndarray:
    """Return the (side, side) float32 blending weights: 1 in the centre, 0 along the border.

    The shape is a rounded square, as the corners of a crop show background.
    """
    position = (np.arange(side) + 0.5) / side * 2 - 1  # -1..1
    distance = (np.abs(position[None, :]) ** 2.6 + np.abs(position[:, None]) ** 2.6) ** (1 / 2.6)
    inner = 1 - 2 * FEATHER
    ramp = np.clip((1 - 2 / side - distance) / max(1 - 2 / side - inner, 1e-6), 0, 1)
    return (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)


def _shrink(face: np.ndarray, to_image: np.ndarray) -> tuple[Image.Image, np.ndarray]:
    """Reduce `face` with antialiasing to at most its size in the image; return it and the matrix to it."""
    side = face.shape[0]
    target = side * max(np.hypot(*to_image[:2, 0]), np.hypot(*to_image[:2, 1]))
    image = Image.fromarray(face)
    if target >= side:
        return image, np.eye(3)
    small = max(round(float(target)), 1)
    return image.resize((small, small), Image.Resampling.BICUBIC), np.diag([small / side, small / side, 1.0])
