"""95 % intervals: Wilson's for a share of independent images, a bootstrap over people for the rest.

Several photographs of one person are not independent. Wherever a person occurs more than once, whole
people are drawn, not photographs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from facedis.result import Estimate

_Z = NormalDist().inv_cdf(0.975)
#: Most weights held at once, so that many faces do not fill the memory.
_BLOCK = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """How a bootstrap is drawn.

    Attributes:
        n_resamples: Number of resamples.
        seed: Of the generator; the same seed draws the same people.
    """

    n_resamples: int = 1000
    seed: int = 0


def wilson_ci(successes: float, n: int, chance: float | None = None) -> Estimate:
    """The share of `successes` among `n` independent images with Wilson's interval.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927.
    """
    if n == 0:
        return Estimate(float("nan"), chance=chance, n=0)
    proportion = successes / n
    spread = 1 + _Z**2 / n
    centre = (proportion + _Z**2 / (2 * n)) / spread
    half = _Z * np.sqrt(proportion * (1 - proportion) / n + _Z**2 / (4 * n**2)) / spread
    return Estimate(proportion, max(0.0, float(centre - half)), min(1.0, float(centre + half)), chance, n)


def group_ids(identities: np.ndarray) -> np.ndarray:
    """(n,) int group of each image: its person, or itself alone where the person is unknown."""
    identities = np.asarray(identities, dtype=str)
    names, groups = np.unique(identities, return_inverse=True)
    unknown = identities == ""
    groups[unknown] = len(names) + np.arange(unknown.sum())
    return np.unique(groups, return_inverse=True)[1]


def are_independent(identities: np.ndarray) -> bool:
    """Whether no person occurs twice."""
    groups = group_ids(identities)
    return len(groups) == 0 or groups.max() + 1 == len(groups)


def bootstrap_weights(groups: int, plan: Bootstrap) -> Iterator[np.ndarray]:
    """Blocks of (b, groups) float64: how often each group was drawn, `plan.n_resamples` rows in all."""
    generator = np.random.default_rng(plan.seed)
    step = max(1, _BLOCK // max(groups, 1))
    for start in range(0, plan.n_resamples, step):
        size = min(step, plan.n_resamples - start)
        drawn = generator.integers(0, groups, (size, groups))
        drawn += groups * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * groups).reshape(size, groups).astype(np.float64)


def percentile_interval(values: np.ndarray) -> tuple[float | None, float | None]:
    """The 2.5 and 97.5 percentiles of resampled `values`; none where half of them are undefined."""
    defined = values[np.isfinite(values)]
    if len(defined) < max(2, len(values) / 2):
        return None, None
    low, high = np.quantile(defined, (0.025, 0.975))
    return float(low), float(high)


def bootstrap_ci(
    terms: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    identities: np.ndarray,
    plan: Bootstrap,
    chance: float | None = None,
) -> Estimate:
    """A statistic of sums over images, with the percentile interval of a bootstrap over people.

    Args:
        terms: (n, m) what each image adds to the m sums.
        statistic: From sums (..., m) to values (...); NaN where it is undefined.
        identities: (n,) str, "" where unknown.
        plan: How often and with which seed people are drawn.
        chance: The value that knowing nothing would give.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993; over clusters: Davison &
    Hinkley, Bootstrap Methods and their Application, 1997, section 3.8.
    """
    groups = group_ids(identities)
    value = float(statistic(terms.sum(axis=0, dtype=np.float64)))
    if len(groups) == 0 or groups.max() == 0:  # a single person says nothing about others
        return Estimate(value, None, None, chance, len(groups))
    low, high = percentile_interval(bootstrap_values(terms, statistic, groups, plan))
    return Estimate(value, low, high, chance, len(groups))


def bootstrap_values(
    terms: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray], groups: np.ndarray, plan: Bootstrap
) -> np.ndarray:
    """(draws,) The statistic of `bootstrap_ci` on each resample of the (n,) `groups`."""
    totals = np.zeros((groups.max() + 1, terms.shape[1]))
    np.add.at(totals, groups, terms)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.concatenate([statistic(block @ totals) for block in bootstrap_weights(len(totals), plan)])


def proportion_ci(hits: np.ndarray, identities: np.ndarray, plan: Bootstrap, chance: float | None = None) -> Estimate:
    """The share of the (n,) bool `hits`: Wilson where images are independent, else the bootstrap.

    Where all images agree no resample differs, which is no certainty: the interval is then Wilson's
    for as many images as there are people.
    """
    hits = np.asarray(hits, dtype=bool)
    if are_independent(identities):
        return wilson_ci(int(hits.sum()), len(hits), chance)
    if hits.all() or not hits.any():
        people = int(group_ids(identities).max()) + 1
        return replace(wilson_ci(people * bool(hits.all()), people, chance), n=len(hits))
    terms = np.stack([hits, np.ones_like(hits)], axis=1).astype(np.float64)
    return bootstrap_ci(terms, lambda sums: sums[..., 0] / sums[..., 1], identities, plan, chance)


def mean_ci(values: np.ndarray, identities: np.ndarray, plan: Bootstrap, chance: float | None = None) -> Estimate:
    """The mean of the (n,) `values` with the bootstrap's interval."""
    values = np.asarray(values, dtype=np.float64)
    terms = np.stack([values, np.ones_like(values)], axis=1)
    return bootstrap_ci(terms, lambda sums: sums[..., 0] / sums[..., 1], identities, plan, chance)
