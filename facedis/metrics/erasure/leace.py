"""LEACE: the least change to a code after which no linear probe can read the classes."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LeaceEraser:
    """An affine map fitted on P.

    Attributes:
        mean: (D,) mean of P's codes.
        projection: (D, D) what is subtracted is the centred code times this.
    """

    mean: np.ndarray
    projection: np.ndarray

    def erase(self, codes: np.ndarray) -> np.ndarray:
        """(n, D) float64 the `codes` with the concept taken out."""
        codes = np.asarray(codes, dtype=np.float64)
        return codes - (codes - self.mean) @ self.projection


def fit_leace(codes: np.ndarray, labels: np.ndarray, classes: int) -> LeaceEraser:
    """The eraser of the classes from codes like these.

    With W = (Sigma_xx^(1/2))^+ and P the orthogonal projector onto the columns of W Sigma_xz, the
    map is x - W^+ P W (x - mean). On the faces it was fitted on, all classes then have the same mean.
    Networks compute in float32: means that differ by less than its rounding count as equal, so that there is
    nothing left to erase in what is erased.

    Args:
        codes: (n, D) float of P.
        labels: (n,) int in 0..classes-1.
        classes: K.

    Source: Belrose, Schneider-Joseph, Ravfogel, Cotterell, Raff & Biderman, LEACE: perfect linear
    concept erasure in closed form, NeurIPS 2023, theorem 4.3.
    """
    codes = np.asarray(codes, dtype=np.float64)
    centre = codes.mean(axis=0)
    shown, wanted = codes - centre, np.eye(classes)[labels]
    values, axes = np.linalg.eigh(shown.T @ shown / len(codes))
    kept = values > len(values) * np.finfo(np.float64).eps * max(values.max(), 0.0)
    roots, axes = np.sqrt(values[kept]), axes[:, kept]
    between = axes.T @ (shown.T @ (wanted - wanted.mean(axis=0))) / len(codes)  # Sigma_xz, in the axes
    between[np.linalg.norm(between, axis=1) < _rounding(codes, axes)] = 0  # what was erased before comes back as noise
    cross = between / roots[:, None]  # W Sigma_xz
    left, strength, _ = np.linalg.svd(cross, full_matrices=False)
    told = left[:, strength > 1e-9 * max(1.0, strength.max(initial=0.0))]
    removal = (axes * roots) @ told @ told.T @ (axes / roots).T  # W^+ P W
    return LeaceEraser(centre, removal.T)


def _rounding(codes: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(r,) how far float32 rounds (n, D) codes, along each of the (D, r) axes."""
    each = np.finfo(np.float32).eps * np.sqrt(np.square(codes).mean(axis=0))
    return np.sqrt(np.square(axes).T @ np.square(each))
