"""Comparison of two models on the same faces, and the spread of one model over several seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, t

from facedis.metrics.statistics.intervals import Bootstrap, mean_ci
from facedis.result import Estimate


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two models on the same n faces.

    Attributes:
        both, first, second, neither: Number of faces that both models classify correctly, only one, or none.
        p: Two-sided exact p-value of the null hypothesis that both models are equally accurate.
        difference: Accuracy of the first model minus that of the second; chance 0.
    """

    both: int
    first: int
    second: int
    neither: int
    p: float
    difference: Estimate


def mcnemar(first: np.ndarray, second: np.ndarray, identities: np.ndarray, bootstrap: Bootstrap) -> McNemar:
    """McNemar's exact test.

    The p-value assumes independent faces. Where people occur often, prefer the interval of the difference,
    which resamples people.

    Args:
        first: (n,) bool, whether the first model classifies each face correctly.
        second: (n,) bool, the same of the second model.
        identities: (n,) str, "" where unknown.
        bootstrap: Number of resamples and seed.

    Source: McNemar, Note on the sampling error of the difference between correlated proportions or
    percentages, Psychometrika 12, 1947; exact form: Edwards, Psychometrika 13, 1948.
    """
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    discordant = only_first + only_second
    p = binomtest(only_first, discordant).pvalue if discordant else 1.0
    difference = mean_ci(first.astype(float) - second, identities, bootstrap, 0.0)
    return McNemar(
        int((first & second).sum()), only_first, only_second, int((~first & ~second).sum()), float(p), difference
    )


@dataclass(frozen=True)
class SeedSummary:
    """A metric over n seeds.

    Attributes:
        mean: Mean over the seeds.
        sd: Sample standard deviation (n - 1); None for a single seed.
        low, high: 95 % t-interval of the mean; None for a single seed.
        n: Number of seeds.
    """

    mean: float
    sd: float | None
    low: float | None
    high: float | None
    n: int


def seed_summary(values: Sequence[float]) -> SeedSummary:
    """Mean, standard deviation and t-interval of `values`, one per seed.

    Source: Student, The probable error of a mean, Biometrika 6, 1908.
    """
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return SeedSummary(mean, None, None, None, n)
    sd = float(np.std(values, ddof=1))
    half = float(t.ppf(0.975, n - 1)) * sd / math.sqrt(n)
    return SeedSummary(mean, sd, mean - half, mean + half, n)
