"""Stored distributions of cosines, and the rank of a cosine in them."""

from collections.abc import Sequence

import numpy as np

from facedis.metrics.statistics.intervals import Bootstrap
from facedis.metrics.verification.pairs import auc, cosines, expression_pairs, identity_pairs
from facedis.result import Estimate

#: Number of quantiles of a stored distribution: one per 0.5 %.
NUM_QUANTILES = 201


def quantiles(values: np.ndarray) -> np.ndarray | None:
    """(201,) the 0, 0.5, ... 100 percentiles of `values`; None for no values."""
    return np.quantile(values, np.linspace(0, 1, NUM_QUANTILES)) if len(values) else None


def percentile_rank(distribution: Sequence[float] | np.ndarray, value: float) -> float:
    """Percentile 0..100 of `value` in a distribution from `quantiles`; the middle one where quantiles are equal."""
    distribution = np.asarray(distribution)
    percentiles = np.linspace(0, 100, len(distribution))
    left, right = (np.searchsorted(distribution, value, side) for side in ("left", "right"))
    if left < right:
        return float((percentiles[left] + percentiles[right - 1]) / 2)
    return float(np.interp(value, distribution, percentiles))


def threshold_above(distribution: Sequence[float] | np.ndarray, fraction: float) -> float:
    """The value above which a `fraction`, 0..1, of a distribution from `quantiles` is."""
    return float(np.interp(1 - fraction, np.linspace(0, 1, len(distribution)), distribution))


def fraction_above(distribution: Sequence[float] | np.ndarray, value: float) -> float:
    """The fraction, 0..1, of a distribution from `quantiles` that is greater than `value`."""
    distribution, fractions = np.asarray(distribution), np.linspace(0, 1, len(distribution))
    last = int(np.searchsorted(distribution, value, "right"))
    if last > 0 and distribution[last - 1] == value:  # equal quantiles are not greater
        return float(1 - fractions[last - 1])
    return float(1 - np.interp(value, distribution, fractions)) if last else 1.0


def reference_distributions(
    codes: np.ndarray, labels: np.ndarray, identities: np.ndarray, bootstrap: Bootstrap
) -> dict[str, np.ndarray | Estimate | None]:
    """Distributions of the cosine for pairs with the same or different expression or person.

    Returns:
        As `quantiles`: `same` and `different`, for different people with the same expression and with
        different ones; `same_person` and `different_people`, for one person with two expressions and two
        people with the same one. `expression_auc` and `person_auc` are the AUC of the cosine for the two
        contrasts. None where there are no such pairs.
    """
    found: dict[str, np.ndarray | Estimate | None] = {}
    for name, kinds, sample in (
        ("expression", ("same", "different"), expression_pairs),
        ("person", ("same_person", "different_people"), identity_pairs),
    ):
        pairs = sample(labels, identities, bootstrap.seed)
        values = cosines(codes, pairs.first, pairs.second)
        found[kinds[0]], found[kinds[1]] = quantiles(values[pairs.positive]), quantiles(values[~pairs.positive])
        found[f"{name}_auc"] = auc(values, pairs, identities, bootstrap)
    return found
