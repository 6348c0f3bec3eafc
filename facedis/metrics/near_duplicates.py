"""Pictures that are there twice: what one part of the faces teaches by heart is no reading of another part.

Collections of photographs found on the web hold the same one several times, cut and scaled a little differently,
in train and test alike. Where people are known by name they are kept apart, and their pictures with them.
"""

from collections.abc import Iterator

import numpy as np

#: Side of a sketch, and of what is compared of it.
THUMBNAIL_SIZE, COMPARED_SIZE = 32, 16
#: Correlation from which two pictures are taken for one. Of FER2013's test faces with a train face so near, nine in
#: ten have its label; of those between 0.85 and 0.9, which are only alike, four (benchmarks/copies.py).
DUPLICATE_CORRELATION = 0.95
#: Of one picture the middle is compared, of the other windows around its middle: shares of the side, and of the room
#: that a window leaves at the border how much it is moved.
CENTRE_CROP, CROP_SCALES, CROP_OFFSETS = 0.88, (0.76, 0.82, 0.88, 0.94, 1.0), (-1.0, 0.0, 1.0)
#: Pictures and others at a time, which bounds the memory.
_BLOCK, _OTHERS = 1024, 16_384


def thumbnails(faces: np.ndarray) -> np.ndarray:
    """(n, SKETCH, SKETCH) float32 grey pictures, small: what `nearest` compares.

    Args:
        faces: (n, S, S, 3) uint8.
    """
    return _windows(faces.mean(axis=3, dtype=np.float32), THUMBNAIL_SIZE, 0.0, 0.0, 1.0)


def nearest(pictures: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whom each picture or its mirror image is most alike, whatever the light and where they were cut out.

    Args:
        pictures: (n, SKETCH, SKETCH) as `thumbnails` gives them.
        others: (m, SKETCH, SKETCH) likewise, m at least 1.

    Returns:
        (n,) float32 correlation with the most alike of `others`, and (n,) its place among them.
    """
    edge = (1 - CENTRE_CROP) / 2
    middles = _unit(_windows(pictures, COMPARED_SIZE, edge, edge, CENTRE_CROP))
    found, place = np.full(len(pictures), -1, np.float32), np.zeros(len(pictures), np.int64)
    for first in range(0, len(others), _OTHERS):
        for seen in _cuts(others[first : first + _OTHERS]):
            for start in range(0, len(middles), _BLOCK):
                some = slice(start, start + _BLOCK)
                alike = middles[some] @ seen.T
                best = alike.argmax(axis=1)
                value = np.take_along_axis(alike, best[:, None], 1)[:, 0]
                closer = value > found[some]
                found[some][closer], place[some][closer] = value[closer], first + best[closer]
    return found, place


def is_near_duplicate(pictures: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,) bool, whether each of `pictures` or its mirror image is among `others`; both as for `nearest`."""
    return nearest(pictures, others)[0] >= DUPLICATE_CORRELATION if len(others) else np.zeros(len(pictures), bool)


def _cuts(pictures: np.ndarray) -> Iterator[np.ndarray]:
    """Every window of all pictures and of their mirror images: (m, SIDE * SIDE) unit vectors of mean 0."""
    for share in CROP_SCALES:
        corners = sorted({(1 - share) / 2 * (1 + move) for move in CROP_OFFSETS})
        for left in corners:
            for top in corners:
                cut = _windows(pictures, COMPARED_SIZE, left, top, share)
                yield _unit(cut)
                yield _unit(cut[:, :, ::-1])


def _windows(pictures: np.ndarray, side: int, left: float, top: float, share: float) -> np.ndarray:
    """(n, side, side) of (n, S, S): the window of `share` of the side from (left, top), by means of areas."""
    n, size = len(pictures), pictures.shape[1]
    sums = np.zeros((n, size + 1, size + 1), np.float32)
    sums[:, 1:, 1:] = (pictures - pictures.mean(axis=(1, 2), keepdims=True)).cumsum(1).cumsum(2)
    for axis, start in ((1, top), (2, left)):
        edges = np.clip((start + share * np.arange(side + 1) / side) * size, 0, size)
        low = np.minimum(edges.astype(int), size - 1)
        weight = (edges - low).astype(np.float32)
        weight = weight[:, None] if axis == 1 else weight
        sums = sums.take(low, axis) * (1 - weight) + sums.take(low + 1, axis) * weight
    return np.diff(np.diff(sums, axis=1), axis=2)


def _unit(pictures: np.ndarray) -> np.ndarray:
    """(n, S * S) of (n, S, S), without their brightness and contrast."""
    flat = pictures.reshape(len(pictures), -1)
    centred = flat - flat.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
