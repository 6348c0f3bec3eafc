"""Pictures that are there twice: what one part of the faces teaches by heart is no reading of another part.

Collections of photographs found on the web hold the same one several times, cut and scaled a little differently,
in train and test alike. Where people are known by name they are kept apart, and their pictures with them.
"""

import numpy as np

#: Side of the pictures that are compared.
SIDE = 16
#: Correlation from which two pictures are taken for one. Of FER2013's test faces with a train face so near, nine in
#: ten have its label; of those between 0.8 and 0.85, which are only alike, fewer than four (benchmarks/copies.py).
SAME = 0.95
#: Rows at a time, which bounds the memory.
_BLOCK = 1024


def outlines(faces: np.ndarray) -> np.ndarray:
    """(n, SIDE * SIDE) float32 of the pictures without their brightness and contrast: unit vectors of mean 0.

    Args:
        faces: (n, S, S, 3) uint8, S at least `SIDE`.
    """
    tile = faces.shape[1] // SIDE
    grey = faces[:, : tile * SIDE, : tile * SIDE].mean(axis=3, dtype=np.float32)
    small = grey.reshape(len(faces), SIDE, tile, SIDE, tile).mean(axis=(2, 4)).reshape(len(faces), SIDE**2)
    centred = small - small.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)


def nearest(pictures: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whom each picture or its mirror image is most alike.

    Args:
        pictures: (n, D) as `outlines` gives them.
        others: (m, D) likewise, m at least 1.

    Returns:
        (n,) float32 correlation with the most alike of `others`, and (n,) its place among them.
    """
    mirrored = others.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(others.shape)
    found, place = np.empty(len(pictures), np.float32), np.empty(len(pictures), np.int64)
    for start in range(0, len(pictures), _BLOCK):
        some = slice(start, start + _BLOCK)
        alike = np.maximum(pictures[some] @ others.T, pictures[some] @ mirrored.T)
        found[some], place[some] = alike.max(axis=1), alike.argmax(axis=1)
    return found, place


def shown_again(pictures: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,) bool, whether each of `pictures` or its mirror image is among `others`; both as for `nearest`."""
    return nearest(pictures, others)[0] >= SAME if len(others) else np.zeros(len(pictures), bool)
