"""Whether a code says anything at all: a constant code leaks nothing and is worth nothing."""

import numpy as np

from facedis.metrics.probes.linear import standard_deviations
from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_weights, group_ids, percentile_interval
from facedis.metrics.verification.pairs import unit_vectors
from facedis.result import Estimate

#: A number of the code is dead where its deviation is below this share of the median one.
DEAD_THRESHOLD = 1e-3


def collapse(codes: np.ndarray, identities: np.ndarray, plan: Bootstrap) -> dict[str, Estimate]:
    """The four signs of a collapsed code.

    Args:
        codes: (n, D) float.
        identities: (n,) str, "" where unknown.
        plan: Of the interval of the cosine.

    Returns:
        `effective_rank` (0..D, 0 for a constant code), `dead_share` (0..1), `mean_cosine`
        (-1..1, 1 for a constant code) and `total_variance` (in the code's own unit, squared).
        Only the cosine has an interval: resampled images repeat, which lowers a rank by itself.
    """
    n = len(codes)
    return {
        "effective_rank": Estimate(effective_rank(codes), n=n),
        "dead_share": Estimate(dead_share(codes), n=n),
        "mean_cosine": mean_cosine(codes, identities, plan),
        "total_variance": Estimate(float((standard_deviations(codes) ** 2).sum()), n=n),
    }


def effective_rank(codes: np.ndarray) -> float:
    """Exponential of the entropy of the covariance's normalised eigenvalues.

    The number of directions that a code uses: D where it spreads evenly, 1 where it moves along a
    line, and 0, not 1, where it does not move at all. With few images it cannot exceed n - 1.

    Source: Roy & Vetterli, The effective rank: a measure of effective dimensionality, EUSIPCO 2007.
    """
    varying = standard_deviations(codes) > 0
    if not varying.any():
        return 0.0
    centred = codes[:, varying].astype(np.float64)
    centred -= centred.mean(axis=0)
    # The smaller of covariance and Gram matrix: both have the same eigenvalues.
    square = centred.T @ centred if centred.shape[1] <= len(centred) else centred @ centred.T
    values = np.clip(np.linalg.eigvalsh(square), 0, None)
    shares = values / values.sum()
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def dead_share(codes: np.ndarray) -> float:
    """Share of the code's numbers that do not move: deviation 0 or below 1e-3 of the median one."""
    spread = standard_deviations(codes)
    return float(((spread == 0) | (spread < DEAD_THRESHOLD * np.median(spread))).mean())


def mean_cosine(codes: np.ndarray, identities: np.ndarray, plan: Bootstrap) -> Estimate:
    """Mean cosine over all pairs of different images: 1 for a constant code, near 0 for a spread one.

    The sum over all pairs is the squared length of the sum of unit codes, less the n pairs of an
    image with itself. A person whom a resample holds twice makes no pair with their own copy.
    """
    units, groups = unit_vectors(codes), group_ids(identities)
    if len(units) < 2:
        return Estimate(float("nan"), n=len(units))
    totals = np.zeros((groups.max() + 1, units.shape[1]))
    np.add.at(totals, groups, units)
    sizes = np.bincount(groups).astype(np.float64)
    lengths = (totals**2).sum(axis=1)

    def value(drawn: np.ndarray) -> np.ndarray:
        pairs = (drawn @ sizes) ** 2 - drawn**2 @ sizes**2 + drawn @ (sizes**2 - sizes)
        alike = ((drawn @ totals) ** 2).sum(axis=-1) - drawn**2 @ lengths + drawn @ (lengths - sizes)
        return alike / np.where(pairs > 0, pairs, np.nan)

    draws = (
        np.concatenate([value(block) for block in bootstrap_weights(len(sizes), plan)])
        if len(sizes) > 1
        else np.empty(0)
    )
    low, high = percentile_interval(draws)
    return Estimate(float(np.clip(value(np.ones(len(sizes))), -1, 1)), low, high, n=len(units))
