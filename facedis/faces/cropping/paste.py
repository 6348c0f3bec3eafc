"""A drawn face back into the photograph that its codes came from."""

import numpy as np
from PIL import Image

#: Share of the face's side over which the drawn face fades into the photograph.
FEATHER = 0.22


def paste_face(image: np.ndarray, face: np.ndarray, to_image: np.ndarray, side: int) -> np.ndarray:
    """`image` with `face` in the place it was cut out of, faded into it towards the border of the crop.

    Outside the mask every pixel stays as it is, bit for bit. Into a photograph without colour the
    face goes without its own; a face without colour changes the light of a photograph and not its colours.

    Args:
        image: (H, W, 3) uint8, upright.
        face: (S, S, 3) uint8, of any S.
        to_image: (3, 3) from pixels of the crop to those of the image; see `crop.face_to_image`.
        side: Of the crop in pixels, which need not be that of `face`.

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
    drawn, scale = _shrink(face, to_image)
    # Pillow wants the way from the part of the image to the face.
    back = scale @ np.linalg.inv(to_image) @ np.array([[1, 0, x0], [0, 1, y0], [0, 0, 1]])
    fetched, weight = (
        picture.transform((x1 - x0, y1 - y0), Image.Transform.AFFINE, back[:2].ravel(), Image.Resampling.BICUBIC)
        for picture in (drawn, Image.fromarray(feather_mask(drawn.height), "F"))
    )
    share = np.clip(np.asarray(weight), 0, 1)[:, :, None]
    share[share < 1 / 512] = 0  # what would change no pixel by half a shade
    pasted, part = image.copy(), image[y0:y1, x0:x1]
    before = _luma(part) if _is_greyscale(face) else part
    mixed = part + share * (np.asarray(fetched, np.float64) - before)
    pasted[y0:y1, x0:x1] = np.where(share > 0, mixed.round().clip(0, 255), part).astype(np.uint8)
    return pasted


def _is_greyscale(picture: np.ndarray) -> bool:
    return not np.ptp(picture, axis=2).any()


def _luma(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).convert("L"))[:, :, None]


def feather_mask(side: int) -> np.ndarray:
    """(side, side) float32: how much of the drawn face is taken, 1 in the middle, 0 along the border.

    An upright, rounded shape: the corners of a crop show background and not face.
    """
    place = (np.arange(side) + 0.5) / side * 2 - 1  # -1..1
    distance = (np.abs(place[None, :]) ** 2.6 + np.abs(place[:, None]) ** 2.6) ** (1 / 2.6)
    inner = 1 - 2 * FEATHER
    ramp = np.clip((1 - 2 / side - distance) / max(1 - 2 / side - inner, 1e-6), 0, 1)
    return (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)


def _shrink(face: np.ndarray, to_image: np.ndarray) -> tuple[Image.Image, np.ndarray]:
    """`face` shrunk with antialiasing to about its size in the image, and the matrix to it; never enlarged."""
    side = face.shape[0]
    wanted = side * max(np.hypot(*to_image[:2, 0]), np.hypot(*to_image[:2, 1]))
    picture = Image.fromarray(face)
    if wanted >= side:
        return picture, np.eye(3)
    small = max(round(float(wanted)), 1)
    return picture.resize((small, small), Image.Resampling.BICUBIC), np.diag([small / side, small / side, 1.0])
