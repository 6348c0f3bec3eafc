"""Collapse of a code: effective rank, dead dimensions, mean cosine and total variance."""

import numpy as np

from facedis.metrics.probes.linear import standard_deviations
from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_weights, group_ids, percentile_interval
from facedis.metrics.verification.pairs import unit_vectors
from facedis.result import Estimate

#: A dimension is dead where its standard deviation is below this fraction of the median one.
DEAD_THRESHOLD = 1e-3


def collapse(codes: np.ndarray, identities: np.ndarray, bootstrap: Bootstrap) -> dict[str, Estimate]:
    """Four indicators of collapse: a constant code leaks nothing and is useless.

    Args:
        codes: (n, D) float.
        identities: (n,) str, "" where unknown.
        bootstrap: Number of resamples and seed of the interval of the cosine.

    Returns:
        `effective_rank` (0..D, 0 for a constant code), `dead_share` (0..1), `mean_cosine` (-1..1, 1 for a
        constant code) and `total_variance` (in the squared unit of the code). Only the cosine has an interval:
        images repeat in a resample, which alone lowers the rank.
    """
    n = len(codes)
    return {
        "effective_rank": Estimate(effective_rank(codes), n=n),
        "dead_share": Estimate(dead_share(codes), n=n),
        "mean_cosine": mean_cosine(codes, identities, bootstrap),
        "total_variance": Estimate(float((standard_deviations(codes) ** 2).sum()), n=n),
    }


def effective_rank(codes: np.ndarray) -> float:
    """Exponential of the entropy of the covariance's normalised eigenvalues.

    D for a code with equal variance in all directions, 1 for a code on a line, and 0 (not 1) for a constant
    code. It cannot exceed n - 1.

    Source: Roy & Vetterli, The effective rank: a measure of effective dimensionality, EUSIPCO 2007.
    """
    varying = standard_deviations(codes) > 0
    if not varying.any():
        return 0.0
    centred = codes[:, varying].astype(np.float64)
    centred -= centred.mean(axis=0)
    # The smaller of covariance and Gram matrix: both have the same nonzero eigenvalues.
    square = centred.T @ centred if centred.shape[1] <= len(centred) else centred @ centred.T
    eigenvalues = np.clip(np.linalg.eigvalsh(square), 0, None)
    shares = eigenvalues / eigenvalues.sum()
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def dead_share(codes: np.ndarray) -> float:
    """Share of dead dimensions, 0..1: standard deviation 0, or below 1e-3 of the median one."""
    std = standard_deviations(codes)
    return float(((std == 0) | (std < DEAD_THRESHOLD * np.median(std))).mean())


def mean_cosine(codes: np.ndarray, identities: np.ndarray, bootstrap: Bootstrap) -> Estimate:
    """Mean cosine over all pairs of different images: 1 for a constant code, near 0 for an isotropic one.

    The sum over all pairs is the squared length of the sum of the unit codes, minus the n pairs of an image
    with itself. In a resample that contains a person twice, the person's two copies form no pairs.
    """
    units, groups = unit_vectors(codes), group_ids(identities)
    if len(units) < 2:
        return Estimate(float("nan"), n=len(units))
    totals = np.zeros((groups.max() + 1, units.shape[1]))
    np.add.at(totals, groups, units)
    sizes = np.bincount(groups).astype(np.float64)
    squares = (totals**2).sum(axis=1)

    def value(weights: np.ndarray) -> np.ndarray:
        pairs = (weights @ sizes) ** 2 - weights**2 @ sizes**2 + weights @ (sizes**2 - sizes)
        cosines = ((weights @ totals) ** 2).sum(axis=-1) - weights**2 @ squares + weights @ (squares - sizes)
        return cosines / np.where(pairs > 0, pairs, np.nan)

    n_groups = len(sizes)
    blocks = [value(block) for block in bootstrap_weights(n_groups, bootstrap)] if n_groups > 1 else []
    low, high = percentile_interval(np.concatenate(blocks) if blocks else np.empty(0))
    return Estimate(float(np.clip(value(np.ones(n_groups)), -1, 1)), low, high, n=len(units))
