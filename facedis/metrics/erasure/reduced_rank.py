"""Which directions of a code tell something else: reduced-rank regression."""

import numpy as np

#: Of the ridge, in faces: keeps directions of a handful of faces out.
RIDGE = 50.0


def reduced_rank_basis(codes: np.ndarray, targets: np.ndarray, n: int) -> np.ndarray:
    """(D, n) orthonormal directions of standardised codes that together tell most of the targets, linearly.

    Args:
        codes: (m, D), mean 0 and deviation 1 in each number.
        targets: (m, T), mean 0.
        n: At most D and T.

    Source: Izenman, Reduced-rank regression for the multivariate linear model, 1975; a ridge beside it.
    """
    weights = np.linalg.solve(codes.T @ codes + RIDGE * np.eye(codes.shape[1]), codes.T @ targets)
    _, _, shown = np.linalg.svd(codes @ weights, full_matrices=False)
    return np.linalg.qr(weights @ shown[:n].T)[0]
