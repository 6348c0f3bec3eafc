"""LEACE: the smallest change to a code after which no linear probe predicts the classes better than chance."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LeaceEraser:
    """An affine map x - projection (x - mean), fitted on P.

    Attributes:
        mean: (D,) mean of P's codes.
        projection: (D, D) projection onto the erased directions, applied to row vectors from the right.
    """

    mean: np.ndarray
    projection: np.ndarray

    def erase(self, codes: np.ndarray) -> np.ndarray:
        """(n, D) float64 `codes` without the concept."""
        codes = np.asarray(codes, dtype=np.float64)
        return codes - (codes - self.mean) @ self.projection


def fit_leace(codes: np.ndarray, labels: np.ndarray, num_classes: int) -> LeaceEraser:
    """Fit the eraser of the classes.

    With W = (Sigma_xx^(1/2))^+ and P the orthogonal projector onto the columns of W Sigma_xz, the map is
    x - W^+ P W (x - mean). On the faces it is fitted on, all classes then have the same mean. Differences of
    means below float32 rounding count as zero, so that erased codes are not changed by a second eraser.

    Args:
        codes: (n, D) float of P.
        labels: (n,) int in 0..num_classes-1.
        num_classes: K.

    Source: Belrose, Schneider-Joseph, Ravfogel, Cotterell, Raff & Biderman, LEACE: perfect linear
    concept erasure in closed form, NeurIPS 2023, theorem 4.3.
    """
    codes = np.asarray(codes, dtype=np.float64)
    mean = codes.mean(axis=0)
    centred, one_hot = codes - mean, np.eye(num_classes)[labels]
    variances, axes = np.linalg.eigh(centred.T @ centred / len(codes))
    kept = variances > len(variances) * np.finfo(np.float64).eps * max(variances.max(), 0.0)
    std, axes = np.sqrt(variances[kept]), axes[:, kept]
    cross = axes.T @ (centred.T @ (one_hot - one_hot.mean(axis=0))) / len(codes)  # Sigma_xz, in the axes
    cross[np.linalg.norm(cross, axis=1) < _rounding(codes, axes)] = 0
    left, strength, _ = np.linalg.svd(cross / std[:, None], full_matrices=False)  # of W Sigma_xz
    erased = left[:, strength > 1e-9 * max(1.0, strength.max(initial=0.0))]
    projection = (axes * std) @ erased @ erased.T @ (axes / std).T  # W^+ P W
    return LeaceEraser(mean, projection.T)


def _rounding(codes: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(r,) float32 rounding error of the (n, D) codes along each of the (D, r) axes."""
    per_dimension = np.finfo(np.float32).eps * np.sqrt(np.square(codes).mean(axis=0))
    return np.sqrt(np.square(axes).T @ np.square(per_dimension))
