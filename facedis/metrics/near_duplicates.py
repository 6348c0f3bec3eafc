"""Near-duplicate images: the same photograph at another size, crop, brightness or mirrored.

Datasets collected from the web contain the same photograph several times, often in both train and test.
Known people are kept in one part of a probe split anyway; near-duplicates matter for unknown people.
"""

from collections.abc import Iterator

import numpy as np

#: Side of a thumbnail, and side of the crops of it that are compared, in pixels.
THUMBNAIL_SIZE, COMPARED_SIZE = 32, 16
#: Smallest correlation of near-duplicates. Of the FER2013 test faces whose nearest train face is above it, about 90 %
#: have that face's label; between 0.85 and 0.9, merely similar ones, 40 % (benchmarks/near_duplicates.py).
DUPLICATE_CORRELATION = 0.95
#: Side of the centre crop of the queries, as a fraction of the thumbnail; crops of the references: their sides, and
#: their offsets from the centre as a fraction of the margin.
CENTRE_CROP, CROP_SCALES, CROP_OFFSETS = 0.88, (0.76, 0.82, 0.88, 0.94, 1.0), (-1.0, 0.0, 1.0)
#: Queries and references per block, which bounds the memory.
_QUERY_BLOCK, _REFERENCE_BLOCK = 1024, 16_384


def thumbnails(faces: np.ndarray) -> np.ndarray:
    """(n, THUMBNAIL_SIZE, THUMBNAIL_SIZE) float32 grey thumbnails for `nearest`, each with mean 0.

    Args:
        faces: (n, S, S, 3) uint8.
    """
    return _crops(faces.mean(axis=3, dtype=np.float32), THUMBNAIL_SIZE, 0.0, 0.0, 1.0)


def nearest(queries: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The reference with the highest correlation to each query or its mirror image.

    Brightness and contrast do not change the correlation. The centre of a query is compared with crops of
    several sizes and positions of each reference.

    Args:
        queries: (n, THUMBNAIL_SIZE, THUMBNAIL_SIZE) from `thumbnails`.
        references: (m, THUMBNAIL_SIZE, THUMBNAIL_SIZE) likewise, m at least 1.

    Returns:
        (n,) float32 correlation with the nearest reference, and (n,) int index of that reference.
    """
    edge = (1 - CENTRE_CROP) / 2
    centres = _unit_vectors(_crops(queries, COMPARED_SIZE, edge, edge, CENTRE_CROP))
    correlation, index = np.full(len(queries), -1, np.float32), np.zeros(len(queries), np.int64)
    for first in range(0, len(references), _REFERENCE_BLOCK):
        for crops in _all_crops(references[first : first + _REFERENCE_BLOCK]):
            for start in range(0, len(centres), _QUERY_BLOCK):
                block = slice(start, start + _QUERY_BLOCK)
                values = centres[block] @ crops.T
                best = values.argmax(axis=1)
                highest = np.take_along_axis(values, best[:, None], 1)[:, 0]
                higher = highest > correlation[block]
                correlation[block][higher], index[block][higher] = highest[higher], first + best[higher]
    return correlation, index


def is_near_duplicate(queries: np.ndarray, references: np.ndarray) -> np.ndarray:
    """(n,) bool, whether a near-duplicate of each query is among the references; both as for `nearest`."""
    if not len(references):
        return np.zeros(len(queries), bool)
    return nearest(queries, references)[0] >= DUPLICATE_CORRELATION


def _all_crops(images: np.ndarray) -> Iterator[np.ndarray]:
    """(m, COMPARED_SIZE ** 2) unit vectors with mean 0, for every crop of the (m, S, S) images and its mirror image."""
    for scale in CROP_SCALES:
        corners = sorted({(1 - scale) / 2 * (1 + offset) for offset in CROP_OFFSETS})
        for left in corners:
            for top in corners:
                crops = _crops(images, COMPARED_SIZE, left, top, scale)
                yield _unit_vectors(crops)
                yield _unit_vectors(crops[:, :, ::-1])


def _crops(images: np.ndarray, size: int, left: float, top: float, scale: float) -> np.ndarray:
    """(n, size, size) crops of (n, S, S) images, `scale` of the side from (left, top), resized by area averaging."""
    n, side = len(images), images.shape[1]
    sums = np.zeros((n, side + 1, side + 1), np.float32)
    sums[:, 1:, 1:] = (images - images.mean(axis=(1, 2), keepdims=True)).cumsum(1).cumsum(2)
    for axis, start in ((1, top), (2, left)):
        edges = np.clip((start + scale * np.arange(size + 1) / size) * side, 0, side)
        low = np.minimum(edges.astype(int), side - 1)
        weight = (edges - low).astype(np.float32)
        weight = weight[:, None] if axis == 1 else weight
        sums = sums.take(low, axis) * (1 - weight) + sums.take(low + 1, axis) * weight
    return np.diff(np.diff(sums, axis=1), axis=2)


def _unit_vectors(images: np.ndarray) -> np.ndarray:
    """(n, S * S) of (n, S, S): mean 0 and length 1."""
    flat = images.reshape(len(images), -1)
    centred = flat - flat.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
