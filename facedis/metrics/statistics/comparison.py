"""Two models on the same faces, and one model under several seeds."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, t

from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_ci
from facedis.result import Estimate


@dataclass(frozen=True)
class McNemar:
    """How two models differ on the same n faces.

    Attributes:
        both, first, second, neither: Faces that both get right, only one of them, or none.
        p: Two-sided exact p-value: how likely so uneven a division is where both are equally good.
        difference: Accuracy of the first minus that of the second, people resampled, chance 0.
    """

    both: int
    first: int
    second: int
    neither: int
    p: float
    difference: Estimate


def mcnemar(first: np.ndarray, second: np.ndarray, identities: np.ndarray, plan: Bootstrap) -> McNemar:
    """McNemar's exact test.

    It takes faces for independent. Where a person occurs often, judge by the interval of the
    difference, which resamples people.

    Args:
        first: (n,) bool, the faces that the first model names right.
        second: (n,) bool, the same of the second.
        identities: (n,) str, "" where unknown.
        plan: Of the interval.

    Source: McNemar, Note on the sampling error of the difference between correlated proportions or
    percentages, Psychometrika 12, 1947; exact form: Edwards, Psychometrika 13, 1948.
    """
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    one, other = int((first & ~second).sum()), int((second & ~first).sum())
    p = binomtest(one, one + other).pvalue if one + other else 1.0
    terms = np.stack([first.astype(float) - second, np.ones(len(first))], axis=1)
    difference = bootstrap_ci(terms, lambda sums: sums[..., 0] / sums[..., 1], identities, plan, 0.0)
    return McNemar(int((first & second).sum()), one, other, int((~first & ~second).sum()), float(p), difference)


@dataclass(frozen=True)
class SeedSummary:
    """A number under n seeds.

    Attributes:
        mean: Over the seeds.
        sd: Standard deviation between them with n - 1; None of a single seed.
        low, high: 95 % t-interval of the mean; None of a single seed.
        n: Number of seeds.
    """

    mean: float
    sd: float | None
    low: float | None
    high: float | None
    n: int


def seed_summary(values: list[float]) -> SeedSummary:
    """Mean, standard deviation and t-interval of one `values` a seed.

    Source: Student, The probable error of a mean, Biometrika 6, 1908.
    """
    n, middle = len(values), float(np.mean(values))
    if n < 2:
        return SeedSummary(middle, None, None, None, n)
    sd = float(np.std(values, ddof=1))
    half = float(t.ppf(0.975, n - 1)) * sd / math.sqrt(n)
    return SeedSummary(middle, sd, middle - half, middle + half, n)
