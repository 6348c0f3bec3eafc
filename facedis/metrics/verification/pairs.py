"""Pairs of images: sampling, cosine similarity and AUC."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from facedis.metrics.statistics.intervals import (
    Bootstrap,
    group_ids,
    percentile_interval,
    resample_groups,
)
from facedis.metrics.statistics.pair_groups import PairGroups
from facedis.result import Estimate

#: Maximum number of sampled pairs of a kind.
MAX_PAIRS = 20_000
_BLOCK = 1_024
#: Up to this number, all pairs are enumerated; above it, random pairs are proposed.
_MAX_ENUMERATED = 1_200_000
_MAX_ROUNDS = 50

#: Indices of the first and of the second images of m pairs, (m,) each.
PairIndices = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Pairs:
    """m pairs of images of two kinds.

    Attributes:
        first, second: (m,) int indices of two different images.
        positive: (m,) bool, whether the pair is of the kind that should be more similar.
    """

    first: np.ndarray
    second: np.ndarray
    positive: np.ndarray

    @classmethod
    def join(cls, positive: PairIndices, negative: PairIndices) -> "Pairs":
        """Positive and negative pairs in one list."""
        is_positive = np.r_[np.ones(len(positive[0]), bool), np.zeros(len(negative[0]), bool)]
        return cls(np.r_[positive[0], negative[0]], np.r_[positive[1], negative[1]], is_positive)

    @property
    def has_both_kinds(self) -> bool:
        """Whether there are positive and negative pairs."""
        return bool(self.positive.any() and not self.positive.all())

    def __len__(self) -> int:
        return len(self.first)


def unit_vectors(codes: np.ndarray) -> np.ndarray:
    """(n, D + 1) float64 codes of length 1.

    The last column is 1 for a code of zeros and 0 otherwise, so that the cosine of two codes of zeros is 1
    rather than undefined.
    """
    codes = np.asarray(codes, dtype=np.float64)
    largest = np.abs(codes).max(axis=1, keepdims=True, initial=0)
    scaled = codes / np.where(largest > 0, largest, 1)  # squares of tiny or huge codes stay finite
    lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.concatenate([scaled / np.where(lengths > 0, lengths, 1), lengths == 0], axis=1)


def cosines(codes: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(m,) cosine in -1..1 of codes `first[i]` and `second[i]` of the (n, D) `codes`."""
    values = np.empty(len(first))
    for start in range(0, len(first), _BLOCK):
        block = slice(start, start + _BLOCK)
        values[block] = np.einsum("ij,ij->i", unit_vectors(codes[first[block]]), unit_vectors(codes[second[block]]))
    return np.clip(values, -1.0, 1.0)


def expression_pairs(labels: np.ndarray, identities: np.ndarray, seed: int, max_pairs: int = MAX_PAIRS) -> Pairs:
    """Random pairs of different people; positive: the same expression, negative: different expressions.

    An unknown person counts as different from all others. At most `max_pairs` of each kind, all equally likely.
    """
    people, generator = group_ids(identities), np.random.default_rng(seed)

    def is_kind(first: np.ndarray, second: np.ndarray, positive: bool) -> np.ndarray:
        return (people[first] != people[second]) & ((labels[first] == labels[second]) == positive)

    one_group = np.zeros(len(labels), int)
    same = sample_pairs(one_group, lambda i, j: is_kind(i, j, True), max_pairs, generator)
    return Pairs.join(same, sample_pairs(one_group, lambda i, j: is_kind(i, j, False), max_pairs, generator))


def identity_pairs(labels: np.ndarray, identities: np.ndarray, seed: int, max_pairs: int = MAX_PAIRS) -> Pairs:
    """Random pairs; positive: one person with two expressions, negative: two people with the same expression.

    Only images of known people are used. A code of the expression alone has an AUC below chance on these pairs.
    """
    generator = np.random.default_rng(seed)
    known = np.flatnonzero(identities != "")
    people, expressions = group_ids(identities[known]), labels[known]
    genuine = sample_pairs(people, lambda i, j: expressions[i] != expressions[j], max_pairs, generator)
    impostor = sample_pairs(expressions, lambda i, j: people[i] != people[j], max_pairs, generator)
    pairs = Pairs.join(genuine, impostor)
    return Pairs(known[pairs.first], known[pairs.second], pairs.positive)


def auc(values: np.ndarray, pairs: Pairs, identities: np.ndarray, bootstrap: Bootstrap) -> Estimate | None:
    """Probability that a positive pair has a higher value than a negative one; ties count half.

    The interval is that of a bootstrap over people, see `PairGroups`; `n` is the number of pairs.

    Returns:
        None where there are no positive or no negative pairs.

    Source: Hanley & McNeil, The meaning and use of the area under a ROC curve, Radiology 143, 1982.
    """
    if not pairs.has_both_kinds:
        return None
    ranking = _Ranking.of(values, pairs, group_ids(identities))
    return _estimate(ranking.area, ranking.n_groups, bootstrap, 0.5, len(pairs))


def normalised_auc(
    own: np.ndarray, reference: np.ndarray, pairs: Pairs, identities: np.ndarray, bootstrap: Bootstrap
) -> Estimate | None:
    """The AUC of `own` values above 0.5 divided by that of `reference` values, on the same pairs, resampled jointly.

    Returns:
        None where there are no positive or no negative pairs, or the AUC of the reference is not above 0.5.
    """
    scale = auc(reference, pairs, identities, bootstrap)
    if scale is None or (scale.low or 0.0) <= 0.5:
        return None
    rankings = [_Ranking.of(values, pairs, group_ids(identities)) for values in (own, reference)]

    def share(weights: np.ndarray) -> float:
        above, of_reference = (ranking.area(weights) - 0.5 for ranking in rankings)
        return above / of_reference if of_reference else float("nan")

    return _estimate(share, rankings[0].n_groups, bootstrap, 0.0, len(pairs))


def auc_difference(
    own: np.ndarray, reference: np.ndarray, pairs: Pairs, identities: np.ndarray, bootstrap: Bootstrap
) -> Estimate | None:
    """The AUC of `own` values minus that of `reference` values, on the same pairs, resampled jointly; chance 0.

    Returns:
        None where there are no positive or no negative pairs.
    """
    if not pairs.has_both_kinds:
        return None
    rankings = [_Ranking.of(values, pairs, group_ids(identities)) for values in (own, reference)]

    def difference(weights: np.ndarray) -> float:
        return rankings[0].area(weights) - rankings[1].area(weights)

    return _estimate(difference, rankings[0].n_groups, bootstrap, 0.0, len(pairs))


def _estimate(
    statistic: Callable[[np.ndarray], float], n_groups: int, bootstrap: Bootstrap, chance: float, n: int
) -> Estimate:
    low, high = percentile_interval(resample_groups(statistic, n_groups, bootstrap))
    return Estimate(statistic(np.ones(n_groups)), low, high, chance, n)


@dataclass(frozen=True)
class _Ranking:
    """The ranks of the positive pairs among the negative ones, computed once for all resamples.

    Attributes:
        n_groups: Number of groups.
        positive: Groups of the positive pairs.
        negative: Groups of the negative pairs, by rising value.
        below: (2, p) number of negative pairs with a lower value, and with a lower or equal value.
    """

    n_groups: int
    positive: PairGroups
    negative: PairGroups
    below: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, pairs: Pairs, groups: np.ndarray) -> "_Ranking":
        members = PairGroups(groups[pairs.first], groups[pairs.second])
        negatives = np.flatnonzero(~pairs.positive)
        negatives = negatives[np.argsort(values[negatives], kind="stable")]
        high = values[pairs.positive]
        left, right = (np.searchsorted(values[negatives], high, side) for side in ("left", "right"))
        return cls(
            int(groups.max()) + 1, members.take(pairs.positive), members.take(negatives), np.stack([left, right])
        )

    def area(self, group_weights: np.ndarray) -> float:
        """The AUC of a resample with (n_groups,) weights; NaN where it has no positive or no negative pairs."""
        positive = self.positive.weights(group_weights)
        negative = np.concatenate([[0.0], np.cumsum(self.negative.weights(group_weights))])
        total = positive.sum() * negative[-1]
        won = (negative[self.below[0]] + negative[self.below[1]]) / 2
        return float(positive @ won / total) if total > 0 else float("nan")


def sample_pairs(
    groups: np.ndarray,
    is_kind: Callable[[np.ndarray, np.ndarray], np.ndarray],
    max_pairs: int,
    generator: np.random.Generator,
) -> PairIndices:
    """At most `max_pairs` random pairs of a kind within one group, all equally likely.

    Args:
        groups: (n,) group of each image.
        is_kind: From (m,) and (m,) indices of the images of m pairs to (m,) bool.
        max_pairs: Maximum number of pairs.
        generator: Random generator.
    """
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=np.nan))
    sizes = np.diff(starts, append=len(groups))
    if (sizes * (sizes - 1) // 2).sum() <= _MAX_ENUMERATED:
        first, second = _all_pairs(order, starts, sizes)
        kept = np.flatnonzero(is_kind(first, second))
        if len(kept) > max_pairs:
            kept = np.sort(generator.choice(kept, max_pairs, replace=False))
        return first[kept], second[kept]
    keys = np.empty(0, np.int64)
    for _ in range(_MAX_ROUNDS):
        first, second = _random_pairs(order, starts, sizes, 2 * max_pairs, generator)
        kept = is_kind(first, second)
        low, high = np.minimum(first, second)[kept], np.maximum(first, second)[kept]
        keys = np.union1d(keys, low * len(groups) + high)
        if len(keys) >= max_pairs:
            keys = generator.choice(keys, max_pairs, replace=False)
            break
    return keys // len(groups), keys % len(groups)


def _all_pairs(order: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> PairIndices:
    """Every pair within a group once; `order` lists the images group by group."""
    first, second = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for start, size in zip(starts, sizes, strict=True):
        if size > 1:
            i, j = np.triu_indices(size, 1)
            first.append(order[start + i])
            second.append(order[start + j])
    return np.concatenate(first), np.concatenate(second)


def _random_pairs(
    order: np.ndarray, starts: np.ndarray, sizes: np.ndarray, number: int, generator: np.random.Generator
) -> PairIndices:
    """`number` random pairs within groups, with repetitions; a group of m images has m (m - 1) ordered pairs."""
    n_pairs = sizes * (sizes - 1.0)
    group = generator.choice(len(starts), number, p=n_pairs / n_pairs.sum())
    place = generator.integers(0, sizes[group])
    other = (place + generator.integers(1, sizes[group])) % sizes[group]
    return order[starts[group] + place], order[starts[group] + other]
