"""Face recognition from codes: verification error rates and rank-1 identification."""

from dataclasses import dataclass

import numpy as np

from facedis.metrics.statistics.intervals import (
    Bootstrap,
    group_ids,
    mean_ci,
    percentile_interval,
    resample_groups,
)
from facedis.metrics.statistics.pair_groups import PairGroups
from facedis.metrics.verification.pairs import Pairs, unit_vectors
from facedis.result import Estimate

#: False accept rate at which the true accept rate is reported.
FAR = 0.01
#: Number of random galleries of the rank-1 rate.
NUM_GALLERIES = 5
#: Maximum number of people in a gallery.
MAX_GALLERY_SIZE = 1_000


def verification_rates(
    values: np.ndarray, pairs: Pairs, identities: np.ndarray, bootstrap: Bootstrap
) -> dict[str, Estimate] | None:
    """Equal error rate, and true accept rate at a false accept rate of 1 %.

    Args:
        values: (m,) similarity of each pair.
        pairs: The pairs; genuine ones are positive.
        identities: (n,) str of the faces.
        bootstrap: Number of resamples and seed; people are resampled.

    Returns:
        `eer` in 0..1, chance 0.5, and `tar_at_far_1` in 0..1, chance 0.01; None where there are no genuine or
        no impostor pairs. Pairs with equal similarity are accepted together, and rates in between are
        interpolated.

    Source: ISO/IEC 19795-1, Biometric performance testing and reporting, 2006.
    """
    if not pairs.has_both_kinds:
        return None
    curve = _Curve.of(values, pairs, group_ids(identities))
    resampled = resample_groups(curve.rates, curve.n_groups, bootstrap).reshape(-1, 2)
    rates = zip(("eer", "tar_at_far_1"), curve.rates(np.ones(curve.n_groups)), resampled.T, (0.5, FAR), strict=True)
    return {
        name: Estimate(float(value), *percentile_interval(column), chance, len(pairs))
        for name, value, column, chance in rates
    }


@dataclass(frozen=True)
class _Curve:
    """Pairs by falling similarity.

    Attributes:
        n_groups: Number of groups.
        groups: Groups of the pairs.
        positive: (m,) bool.
        ends: Index of the last pair of each distinct similarity.
    """

    n_groups: int
    groups: PairGroups
    positive: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, pairs: Pairs, groups: np.ndarray) -> "_Curve":
        order = np.argsort(-values, kind="stable")
        members = PairGroups(groups[pairs.first[order]], groups[pairs.second[order]])
        ends = np.flatnonzero(np.diff(values[order], append=np.nan) != 0)
        return cls(int(groups.max()) + 1, members, pairs.positive[order], ends)

    def rates(self, group_weights: np.ndarray) -> np.ndarray:
        """(2,) equal error rate and true accept rate of a resample with (n_groups,) weights; NaN where undefined."""
        weights = self.groups.weights(group_weights)
        true, false = (np.cumsum(np.where(kind, weights, 0.0)) for kind in (self.positive, ~self.positive))
        if true[-1] == 0 or false[-1] == 0:
            return np.full(2, np.nan)
        tar = np.append(0.0, true[self.ends] / true[-1])
        far = np.append(0.0, false[self.ends] / false[-1])
        gap = far - (1 - tar)  # rises from -1 to 1
        place = int(np.searchsorted(gap, 0.0))
        step = -gap[place - 1] / (gap[place] - gap[place - 1])
        eer = far[place - 1] + step * (far[place] - far[place - 1])
        upper = int(np.searchsorted(far, FAR, "right"))  # the first point above the false accept rate
        if upper == len(far):
            return np.array([eer, 1.0])
        step = (FAR - far[upper - 1]) / (far[upper] - far[upper - 1])
        return np.array([eer, tar[upper - 1] + step * (tar[upper] - tar[upper - 1])])


def rank_one(codes: np.ndarray, labels: np.ndarray, identities: np.ndarray, bootstrap: Bootstrap) -> Estimate | None:
    """Rank-1 identification rate across expressions.

    A gallery has one face of each person. The queries are all faces of these people with another expression
    than the person's face in the gallery. The rate is the mean over five random galleries, with equal weight
    for each person.

    Args:
        codes: (n, D) float.
        labels: (n,) int expressions.
        identities: (n,) str, "" where unknown.
        bootstrap: Number of resamples and seed; people are resampled.

    Returns:
        A rate in 0..1, chance one over the number of people; None where fewer than two people have two
        expressions.
    """
    generator = np.random.default_rng(bootstrap.seed)
    people = generator.permutation(_with_two_expressions(labels, identities))[:MAX_GALLERY_SIZE]
    n = len(people)
    if n < 2:
        return None
    units = unit_vectors(codes)
    rows = [np.flatnonzero(identities == name) for name in people]
    hits, queries = np.zeros(n), np.zeros(n)
    for _ in range(NUM_GALLERIES):
        gallery = np.array([generator.choice(faces) for faces in rows])
        others = [faces[labels[faces] != labels[chosen]] for faces, chosen in zip(rows, gallery, strict=True)]
        person = np.repeat(np.arange(n), [len(faces) for faces in others])
        similarity = units[np.concatenate(others)] @ units[gallery].T
        tied = similarity >= similarity.max(axis=1, keepdims=True) - 1e-12  # ties share the hit
        hits += np.bincount(person, tied[np.arange(len(person)), person] / tied.sum(axis=1), n)
        queries += np.bincount(person, minlength=n)
    rate = mean_ci(hits / queries, people, bootstrap, 1 / n)
    return Estimate(rate.value, rate.low, rate.high, rate.chance, int(queries.sum()))


def _with_two_expressions(labels: np.ndarray, identities: np.ndarray) -> np.ndarray:
    """(p,) str people with at least two expressions."""
    known = identities != ""
    pairs = np.unique(np.stack([identities[known], labels[known].astype(str)], axis=1), axis=0)
    names, counts = np.unique(pairs[:, 0], return_counts=True)
    return names[counts >= 2]
