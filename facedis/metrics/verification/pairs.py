"""Cosines of pairs of codes: which pairs are drawn, how they are distributed, what they tell apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_weights, group_ids, percentile_interval
from facedis.result import Estimate

#: Most pairs that are drawn of a kind.
MAX_PAIRS = 20_000
#: Points of a stored distribution: every half per cent.
NUM_QUANTILES = 201
_BLOCK = 1_024
#: Up to this many pairs are listed; of more, random ones are proposed.
_LISTED = 1_200_000
_ROUNDS = 50


@dataclass(frozen=True)
class Pairs:
    """m pairs of images, of two kinds.

    Attributes:
        first, second: (m,) int indices of two different images.
        positive: (m,) bool, the kind that should be alike.
    """

    first: np.ndarray
    second: np.ndarray
    positive: np.ndarray

    def __len__(self) -> int:
        return len(self.first)


def unit_vectors(codes: np.ndarray) -> np.ndarray:
    """(n, D + 1) float64 codes of length 1.

    The last column is 1 for a code of zeros and else 0: two codes of zeros are the same code, and
    their cosine is then 1 and not undefined.
    """
    codes = np.asarray(codes, dtype=np.float64)
    largest = np.abs(codes).max(axis=1, keepdims=True, initial=0)
    scaled = codes / np.where(largest > 0, largest, 1)  # squares of tiny or huge codes stay finite
    lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.concatenate([scaled / np.where(lengths > 0, lengths, 1), lengths == 0], axis=1)


def cosines(codes: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(m,) Cosine in -1..1 of codes `first[i]` and `second[i]` of the (n, D) `codes`, in blocks."""
    values = np.empty(len(first))
    for start in range(0, len(first), _BLOCK):
        piece = slice(start, start + _BLOCK)
        values[piece] = np.einsum("ij,ij->i", unit_vectors(codes[first[piece]]), unit_vectors(codes[second[piece]]))
    return np.clip(values, -1.0, 1.0)


def expression_pairs(labels: np.ndarray, identities: np.ndarray, seed: int, most: int = MAX_PAIRS) -> Pairs:
    """Pairs of different people; positive: the same expression, negative: different ones.

    Unknown people count as different from everybody. Of each kind at most `most` pairs are drawn,
    all equally likely.
    """
    people, generator = group_ids(identities), np.random.default_rng(seed)

    def wanted(first: np.ndarray, second: np.ndarray, positive: bool) -> np.ndarray:
        return (people[first] != people[second]) & ((labels[first] == labels[second]) == positive)

    everybody = np.zeros(len(labels), int)
    same = sample_pairs(everybody, lambda i, j: wanted(i, j, True), most, generator)
    return _joined(same, sample_pairs(everybody, lambda i, j: wanted(i, j, False), most, generator))


def identity_pairs(labels: np.ndarray, identities: np.ndarray, seed: int, most: int = MAX_PAIRS) -> Pairs:
    """Positive: one person with two expressions; negative: two people with the same expression.

    Only images of known people are used. A code that tells the expression and nothing else is
    wrong on these pairs more often than chance.
    """
    generator = np.random.default_rng(seed)
    known = np.flatnonzero(identities != "")
    people, shown = group_ids(identities[known]), labels[known]
    one = sample_pairs(people, lambda i, j: shown[i] != shown[j], most, generator)
    two = sample_pairs(shown, lambda i, j: people[i] != people[j], most, generator)
    pairs = _joined(one, two)
    return Pairs(known[pairs.first], known[pairs.second], pairs.positive)


def auc(values: np.ndarray, pairs: Pairs, identities: np.ndarray, plan: Bootstrap) -> Estimate | None:
    """Probability that a positive pair has the higher value than a negative one, ties counting half.

    The interval is that of a bootstrap over people, in which a pair of two people is drawn as
    often as the product of the two. `n` counts pairs.

    Returns:
        None where one of the kinds has no pair.

    Source: Hanley & McNeil, The meaning and use of the area under a ROC curve, Radiology 143, 1982.
    """
    if pairs.positive.all() or not pairs.positive.any():
        return None
    ranking = _Ranking.of(values, pairs, group_ids(identities))
    people = ranking.people
    draws = [ranking.area(drawn) for block in bootstrap_weights(people, plan) for drawn in block] if people > 1 else []
    low, high = percentile_interval(np.array(draws))
    return Estimate(ranking.area(np.ones(people)), low, high, 0.5, len(pairs))


def normalised_auc(
    own: np.ndarray, reference: np.ndarray, pairs: Pairs, identities: np.ndarray, plan: Bootstrap
) -> Estimate | None:
    """What `own` values tell apart above 0.5 as a share of what `reference` values do, on the same pairs.

    0 where nothing is told, 1 where as much as the reference tells. People are drawn for both at once.

    Returns:
        None where one of the kinds has no pair, or the reference tells nothing.
    """
    known, groups = auc(reference, pairs, identities, plan), group_ids(identities)
    if known is None or (known.low or 0.0) <= 0.5:
        return None
    rankings = [_Ranking.of(values, pairs, groups) for values in (own, reference)]

    def ratio(drawn: np.ndarray) -> float:
        above, scale = (ranking.area(drawn) - 0.5 for ranking in rankings)
        return above / scale if scale else float("nan")

    people = rankings[0].people
    draws = [ratio(drawn) for block in bootstrap_weights(people, plan) for drawn in block]
    low, high = percentile_interval(np.array(draws))
    return Estimate(ratio(np.ones(people)), low, high, 0.0, len(pairs))


def auc_difference(
    own: np.ndarray, reference: np.ndarray, pairs: Pairs, identities: np.ndarray, plan: Bootstrap
) -> Estimate | None:
    """The AUC of `own` values minus that of `reference` values on the same pairs.

    People are drawn for both at once, so that the interval tells whether the two differ; chance is 0.

    Returns:
        None where one of the kinds has no pair.
    """
    if pairs.positive.all() or not pairs.positive.any():
        return None
    groups = group_ids(identities)
    rankings = [_Ranking.of(values, pairs, groups) for values in (own, reference)]
    people = rankings[0].people

    def difference(drawn: np.ndarray) -> float:
        return rankings[0].area(drawn) - rankings[1].area(drawn)

    draws = [difference(drawn) for block in bootstrap_weights(people, plan) for drawn in block] if people > 1 else []
    low, high = percentile_interval(np.array(draws))
    return Estimate(difference(np.ones(people)), low, high, 0.0, len(pairs))


@dataclass(frozen=True)
class _Ranking:
    """Which negative pairs each positive pair is above, found once for all resamples.

    Attributes:
        people: Number of people.
        positive: (2, p) people of each positive pair, `people` in the second row where both are one.
        negative: (2, q) the same of the negative pairs, by rising value.
        below: (2, p) number of negatives with a lower and with a lower or equal value.
    """

    people: int
    positive: np.ndarray
    negative: np.ndarray
    below: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, pairs: Pairs, groups: np.ndarray) -> "_Ranking":
        people = int(groups.max()) + 1
        first, second = groups[pairs.first], groups[pairs.second]
        both = np.stack([first, np.where(first == second, people, second)])
        negatives = np.flatnonzero(~pairs.positive)
        negatives = negatives[np.argsort(values[negatives], kind="stable")]
        high = values[pairs.positive]
        below = np.stack([np.searchsorted(values[negatives], high, side) for side in ("left", "right")])
        return cls(people, both[:, pairs.positive], both[:, negatives], below)

    def area(self, drawn: np.ndarray) -> float:
        """The AUC where each person was drawn (people,) `drawn` times; NaN where a kind is missing."""
        often = np.append(drawn, 1.0)  # a pair of one person comes as often as that person
        positive = often[self.positive[0]] * often[self.positive[1]]
        negative = np.concatenate([[0.0], np.cumsum(often[self.negative[0]] * often[self.negative[1]])])
        total = positive.sum() * negative[-1]
        won = (negative[self.below[0]] + negative[self.below[1]]) / 2
        return float(positive @ won / total) if total > 0 else float("nan")


def quantiles(values: np.ndarray) -> np.ndarray | None:
    """(201,) The distribution of `values` as its 0, 0.5, ... 100 percentiles; None of no values."""
    return np.quantile(values, np.linspace(0, 1, NUM_QUANTILES)) if len(values) else None


def percentile_rank(distribution: Sequence[float], value: float) -> float:
    """Where `value` lies in a distribution that `quantiles` made, 0..100; the middle where it repeats."""
    distribution = np.asarray(distribution)
    share = np.linspace(0, 100, len(distribution))
    left, right = (np.searchsorted(distribution, value, side) for side in ("left", "right"))
    if left < right:
        return float((share[left] + share[right - 1]) / 2)
    return float(np.interp(value, distribution, share))


def threshold_above(distribution: Sequence[float], share: float) -> float:
    """The value above which a `share`, 0..1, of a distribution that `quantiles` made lies."""
    return float(np.interp(1 - share, np.linspace(0, 1, len(distribution)), distribution))


def fraction_above(distribution: Sequence[float], value: float) -> float:
    """The share, 0..1, of a distribution that `quantiles` made that is greater than `value`."""
    distribution, shares = np.asarray(distribution), np.linspace(0, 1, len(distribution))
    last = int(np.searchsorted(distribution, value, "right"))
    if last > 0 and distribution[last - 1] == value:  # where values repeat, none of them is greater
        return float(1 - shares[last - 1])
    return float(1 - np.interp(value, distribution, shares)) if last else 1.0


def reference_distributions(
    codes: np.ndarray, labels: np.ndarray, identities: np.ndarray, plan: Bootstrap
) -> dict[str, np.ndarray | Estimate | None]:
    """How alike codes are where expression or person agree and where not.

    Returns:
        As `quantiles`: `same` and `different`, different people with the same expression and with
        different ones; `same_person` and `different_people`, one person with two expressions and two
        people with the same one. `expression_auc` and `person_auc` are how well the cosine tells
        the two of a kind apart. None where there are no such pairs.
    """
    found: dict[str, np.ndarray | Estimate | None] = {}
    for name, kinds, draw in (
        ("expression", ("same", "different"), expression_pairs),
        ("person", ("same_person", "different_people"), identity_pairs),
    ):
        pairs = draw(labels, identities, plan.seed)
        values = cosines(codes, pairs.first, pairs.second)
        found |= {
            kind: quantiles(values[pairs.positive == alike]) for kind, alike in zip(kinds, (True, False), strict=True)
        }
        found[f"{name}_auc"] = auc(values, pairs, identities, plan)
    return found


def _joined(positive: tuple[np.ndarray, np.ndarray], negative: tuple[np.ndarray, np.ndarray]) -> Pairs:
    kind = np.r_[np.ones(len(positive[0]), bool), np.zeros(len(negative[0]), bool)]
    return Pairs(np.r_[positive[0], negative[0]], np.r_[positive[1], negative[1]], kind)


def sample_pairs(
    groups: np.ndarray,
    wanted: Callable[[np.ndarray, np.ndarray], np.ndarray],
    most: int,
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """At most `most` pairs out of those within one group that are `wanted`, all equally likely.

    Args:
        groups: (n,) the group of each image.
        wanted: From the indices of the images of m pairs to (m,) bool.
        most: How many.
        generator: Draws them where there are more.

    Returns:
        (m,) and (m,) indices of the two images of each.
    """
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=np.nan))
    sizes = np.diff(starts, append=len(groups))
    if (sizes * (sizes - 1) // 2).sum() <= _LISTED:
        first, second = _listed(order, starts, sizes)
        kept = np.flatnonzero(wanted(first, second))
        if len(kept) > most:
            kept = np.sort(generator.choice(kept, most, replace=False))
        return first[kept], second[kept]
    keys = np.empty(0, np.int64)
    for _ in range(_ROUNDS):
        first, second = _proposed(order, starts, sizes, 2 * most, generator)
        kept = wanted(first, second)
        low, high = np.minimum(first, second)[kept], np.maximum(first, second)[kept]
        keys = np.union1d(keys, low * len(groups) + high)
        if len(keys) >= most:
            keys = generator.choice(keys, most, replace=False)
            break
    return keys // len(groups), keys % len(groups)


def _listed(order: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every pair within a group once; `order` lists the images group by group."""
    first, second = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for start, size in zip(starts, sizes, strict=True):
        if size > 1:
            i, j = np.triu_indices(size, 1)
            first.append(order[start + i])
            second.append(order[start + j])
    return np.concatenate(first), np.concatenate(second)


def _proposed(
    order: np.ndarray, starts: np.ndarray, sizes: np.ndarray, number: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """`number` random pairs within groups: a group with m images has m (m - 1) of them."""
    chances = sizes * (sizes - 1.0)
    group = generator.choice(len(starts), number, p=chances / chances.sum())
    place = generator.integers(0, sizes[group])
    other = (place + generator.integers(1, sizes[group])) % sizes[group]
    return order[starts[group] + place], order[starts[group] + other]
