"""Confidence intervals over pairs of images: a bootstrap over the people of both images."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from facedis.metrics.statistics.intervals import (
    Bootstrap,
    Statistic,
    bootstrap_weights,
    group_ids,
    mean_terms,
    percentile_interval,
    ratio,
    wilson_ci,
)
from facedis.result import Estimate


@dataclass(frozen=True)
class PairGroups:
    """The groups (people) of m pairs of images.

    A resample draws groups. It contains a pair as often as the product of how often it contains the pair's two
    groups, and a pair within one group as often as that group.

    Attributes:
        first: (m,) int group of the first image of each pair.
        second: (m,) int group of the second image.
    """

    first: np.ndarray
    second: np.ndarray

    @classmethod
    def from_indices(cls, first: np.ndarray, second: np.ndarray, identities: np.ndarray) -> "PairGroups":
        """The groups of the images with the indices `first` and `second`, both (m,), of the (n,) `identities`."""
        groups = group_ids(identities)
        return cls(groups[first], groups[second])

    def __len__(self) -> int:
        return len(self.first)

    def take(self, chosen: np.ndarray) -> "PairGroups":
        """Some of the pairs: a (m,) bool mask or indices."""
        return PairGroups(self.first[chosen], self.second[chosen])

    @cached_property
    def _other(self) -> np.ndarray:
        """(m,) group of the second image; -1 where both images are in one group."""
        return np.where(self.first == self.second, -1, self.second)

    @cached_property
    def stacked(self) -> np.ndarray:
        """(m, 2) groups of both images."""
        return np.stack([self.first, self.second], axis=1)

    @property
    def has_one_pair(self) -> bool:
        """Whether all pairs are of the same one or two groups, so that no interval can be estimated."""
        return len(np.unique(np.sort(self.stacked, axis=1), axis=0)) < 2

    def weights(self, group_weights: np.ndarray) -> np.ndarray:
        """(..., m) how often a resample contains each pair, given (..., groups) how often it contains each group."""
        extended = np.concatenate([group_weights, np.ones((*group_weights.shape[:-1], 1))], axis=-1)
        return extended[..., self.first] * extended[..., self._other]

    def bootstrap_ci(
        self, terms: np.ndarray, statistic: Statistic, bootstrap: Bootstrap, chance: float | None = None
    ) -> Estimate:
        """A statistic of sums over pairs of the (m, t) `terms`; see `facedis.metrics.statistics.intervals`."""
        n = len(terms)
        if n == 0:
            return Estimate(float("nan"), chance=chance, n=0)
        value = float(statistic(terms.sum(axis=0, dtype=np.float64)))
        if self.has_one_pair:
            return Estimate(value, None, None, chance, n)
        groups, members = np.unique(self.stacked, return_inverse=True)
        pairs = PairGroups(*members.reshape(n, 2).T)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = [statistic(pairs.weights(block) @ terms) for block in bootstrap_weights(len(groups), bootstrap)]
        return Estimate(value, *percentile_interval(np.concatenate(values)), chance, n)

    def mean_ci(self, values: np.ndarray, bootstrap: Bootstrap, chance: float | None = None) -> Estimate:
        """Mean of the (m,) `values`."""
        return self.bootstrap_ci(mean_terms(values), ratio, bootstrap, chance)

    def proportion_ci(self, hits: np.ndarray, bootstrap: Bootstrap, chance: float | None = None) -> Estimate:
        """Proportion of True among the (m,) `hits`; where all agree, Wilson's interval for the number of groups."""
        if len(hits) and (hits.all() or not hits.any()):
            n_groups = len(np.unique(self.stacked))
            return replace(wilson_ci(n_groups * bool(hits.all()), n_groups, chance), n=len(hits))
        return self.mean_ci(hits, bootstrap, chance)
