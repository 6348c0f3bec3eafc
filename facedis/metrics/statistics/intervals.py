"""95 % confidence intervals: Wilson's for proportions of independent images, a bootstrap over people otherwise.

Several photographs of one person are not independent. Where a person occurs more than once, the bootstrap
resamples people, not photographs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from facedis.result import Estimate

_Z = NormalDist().inv_cdf(0.975)
#: Most weights in memory at once.
_BLOCK = 4_000_000

#: From sums (..., m) to values (...); NaN where a value is undefined.
Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """Settings of a bootstrap.

    Attributes:
        n_resamples: Number of resamples.
        seed: Seed of the generator; the same seed gives the same resamples.
    """

    n_resamples: int = 1000
    seed: int = 0


def wilson_ci(successes: float, n: int, chance: float | None = None) -> Estimate:
    """Proportion of `successes` among `n` independent images, with Wilson's score interval.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927.
    """
    if n == 0:
        return Estimate(float("nan"), chance=chance, n=0)
    proportion = successes / n
    denominator = 1 + _Z**2 / n
    centre = (proportion + _Z**2 / (2 * n)) / denominator
    half = _Z * np.sqrt(proportion * (1 - proportion) / n + _Z**2 / (4 * n**2)) / denominator
    return Estimate(proportion, max(0.0, float(centre - half)), min(1.0, float(centre + half)), chance, n)


def group_ids(identities: np.ndarray) -> np.ndarray:
    """(n,) int group of each image: one per known person, and one per image of an unknown person ("")."""
    identities = np.asarray(identities, dtype=str)
    names, groups = np.unique(identities, return_inverse=True)
    unknown = identities == ""
    groups[unknown] = len(names) + np.arange(unknown.sum())
    return np.unique(groups, return_inverse=True)[1]


def are_independent(identities: np.ndarray) -> bool:
    """Whether no person occurs twice."""
    groups = group_ids(identities)
    return len(groups) == 0 or bool(groups.max() + 1 == len(groups))


def bootstrap_weights(n_groups: int, bootstrap: Bootstrap) -> Iterator[np.ndarray]:
    """Blocks of (b, n_groups) float64: how often each resample contains each group, one row per resample."""
    generator = np.random.default_rng(bootstrap.seed)
    step = max(1, _BLOCK // max(n_groups, 1))
    for start in range(0, bootstrap.n_resamples, step):
        size = min(step, bootstrap.n_resamples - start)
        sampled = generator.integers(0, n_groups, (size, n_groups))
        sampled += n_groups * np.arange(size)[:, None]
        yield np.bincount(sampled.ravel(), minlength=size * n_groups).reshape(size, n_groups).astype(np.float64)


def resample_groups(
    statistic: Callable[[np.ndarray], float | np.ndarray], n_groups: int, bootstrap: Bootstrap
) -> np.ndarray:
    """(n_resamples, ...) `statistic` of each resample's (n_groups,) weights; empty for a single group."""
    if n_groups < 2:
        return np.empty(0)
    return np.array([statistic(row) for block in bootstrap_weights(n_groups, bootstrap) for row in block])


def resample_sums(terms: np.ndarray, statistic: Statistic, groups: np.ndarray, bootstrap: Bootstrap) -> np.ndarray:
    """(n_resamples,) `statistic` of the sums of the (n, m) `terms` in each resample of the (n,) `groups`."""
    totals = np.zeros((groups.max() + 1, terms.shape[1]))
    np.add.at(totals, groups, terms)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.concatenate([statistic(block @ totals) for block in bootstrap_weights(len(totals), bootstrap)])


def percentile_interval(values: np.ndarray) -> tuple[float | None, float | None]:
    """The 2.5th and 97.5th percentiles of resampled `values`; (None, None) where half of them are undefined."""
    defined = values[np.isfinite(values)]
    if len(defined) < max(2, len(values) / 2):
        return None, None
    low, high = np.quantile(defined, (0.025, 0.975))
    return float(low), float(high)


def bootstrap_ci(
    terms: np.ndarray,
    statistic: Statistic,
    identities: np.ndarray,
    bootstrap: Bootstrap,
    chance: float | None = None,
) -> Estimate:
    """A statistic of sums over images, with the percentile interval of a bootstrap over people.

    Args:
        terms: (n, m) contribution of each image to the m sums.
        statistic: From sums (..., m) to values (...); NaN where a value is undefined.
        identities: (n,) str, "" where unknown.
        bootstrap: Number of resamples and seed.
        chance: Chance level of the statistic.

    Returns:
        The estimate; its interval is None where there is only one person.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993; over clusters: Davison &
    Hinkley, Bootstrap Methods and their Application, 1997, section 3.8.
    """
    groups = group_ids(identities)
    value = float(statistic(terms.sum(axis=0, dtype=np.float64)))
    if len(groups) == 0 or groups.max() == 0:
        return Estimate(value, None, None, chance, len(groups))
    low, high = percentile_interval(resample_sums(terms, statistic, groups, bootstrap))
    return Estimate(value, low, high, chance, len(groups))


def proportion_ci(
    hits: np.ndarray, identities: np.ndarray, bootstrap: Bootstrap, chance: float | None = None
) -> Estimate:
    """Proportion of True among the (n,) bool `hits`: Wilson's interval for independent images, else the bootstrap's.

    Where all images agree, all resamples are equal and their interval would have no width. The interval is then
    Wilson's for as many images as there are people.
    """
    hits = np.asarray(hits, dtype=bool)
    if are_independent(identities):
        return wilson_ci(int(hits.sum()), len(hits), chance)
    if hits.all() or not hits.any():
        n_people = int(group_ids(identities).max()) + 1
        return replace(wilson_ci(n_people * bool(hits.all()), n_people, chance), n=len(hits))
    return mean_ci(hits, identities, bootstrap, chance)


def mean_ci(values: np.ndarray, identities: np.ndarray, bootstrap: Bootstrap, chance: float | None = None) -> Estimate:
    """Mean of the (n,) `values`, with the bootstrap's interval."""
    return bootstrap_ci(mean_terms(values), ratio, identities, bootstrap, chance)


def mean_terms(values: np.ndarray) -> np.ndarray:
    """(n, 2) float64 terms of which `ratio` is the mean of the (n,) `values`."""
    values = np.asarray(values, dtype=np.float64)
    return np.stack([values, np.ones_like(values)], axis=1)


def ratio(sums: np.ndarray) -> np.ndarray:
    """(...) first of the (..., 2) `sums` divided by the second."""
    return sums[..., 0] / sums[..., 1]
