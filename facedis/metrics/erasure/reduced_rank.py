"""Reduced-rank regression: the directions of a code that predict other variables."""

import numpy as np

#: Ridge penalty, in units of faces; it excludes directions that only a few faces support.
RIDGE = 50.0


def reduced_rank_basis(codes: np.ndarray, targets: np.ndarray, n: int) -> np.ndarray:
    """(D, n) orthonormal directions of standardised codes that together predict the targets best by linear regression.

    Args:
        codes: (m, D), mean 0 and standard deviation 1 in each dimension.
        targets: (m, T), mean 0.
        n: Number of directions, at most D and T.

    Source: Izenman, Reduced-rank regression for the multivariate linear model, 1975.
    Deviation: with a ridge penalty.
    """
    weights = np.linalg.solve(codes.T @ codes + RIDGE * np.eye(codes.shape[1]), codes.T @ targets)
    _, _, directions = np.linalg.svd(codes @ weights, full_matrices=False)
    return np.linalg.qr(weights @ directions[:n].T)[0]
