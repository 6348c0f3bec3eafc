"""The four kinds of pairs of same or different expression and same or different person, and their contrasts."""

from collections.abc import Mapping

import numpy as np

from facedis.metrics.statistics.intervals import Bootstrap, group_ids
from facedis.metrics.verification.pairs import MAX_PAIRS, PairIndices, Pairs, auc, auc_difference, sample_pairs
from facedis.result import Estimate

#: The four kinds of pairs.
PAIR_KINDS = (
    "same_expression_same_person",
    "same_expression_other_person",
    "other_expression_same_person",
    "other_expression_other_person",
)
#: For each contrast the kind of its positive and of its negative pairs.
CONTRASTS = {
    "same_expression": ("same_expression_other_person", "other_expression_other_person"),
    "same_expression_one_person": ("same_expression_same_person", "other_expression_same_person"),
    "same_person": ("other_expression_same_person", "same_expression_other_person"),
    "same_person_one_expression": ("same_expression_same_person", "same_expression_other_person"),
}
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def sample_pair_kinds(
    labels: np.ndarray, identities: np.ndarray, seed: int, max_pairs: int = MAX_PAIRS
) -> dict[str, PairIndices]:
    """Random pairs of every kind in random order, so that any first pairs are a random sample, too.

    Args:
        labels: (n,) int expressions.
        identities: (n,) str; an unknown person ("") counts as different from all others.
        seed: Seed of the choice.
        max_pairs: Maximum number of pairs of a kind; all are equally likely.

    Returns:
        The pairs by kind; empty for a kind that does not occur.
    """
    generator = np.random.default_rng(seed)
    people, one_group = group_ids(identities), np.zeros(len(labels), int)
    pairs: dict[str, PairIndices] = {}
    for kind in PAIR_KINDS:
        same_expression, same_person = kind.startswith("same_expression"), kind.endswith("same_person")

        def is_kind(
            i: np.ndarray, j: np.ndarray, same_expression: bool = same_expression, same_person: bool = same_person
        ) -> np.ndarray:
            return ((labels[i] == labels[j]) == same_expression) & ((people[i] == people[j]) == same_person)

        groups = people if same_person else labels if same_expression else one_group
        first, second = sample_pairs(groups, is_kind, max_pairs, generator)
        order = generator.permutation(len(first))
        pairs[kind] = first[order], second[order]
    return pairs


def summarise(values: np.ndarray) -> dict[str, float | int | dict[str, float]] | None:
    """`n`, `mean`, `sd` and `quantiles` (5, 25, 50, 75, 95 %) of the (m,) `values`; None for no values."""
    if not len(values):
        return None
    quantiles = zip(_QUANTILES, np.quantile(values, _QUANTILES), strict=True)
    by_percent = {f"{q:.0%}".rstrip("%"): float(value) for q, value in quantiles}
    return {"n": len(values), "mean": float(values.mean()), "sd": float(values.std()), "quantiles": by_percent}


def contrast_auc(
    cosines: Mapping[str, np.ndarray], kinds: Mapping[str, PairIndices], identities: np.ndarray, bootstrap: Bootstrap
) -> dict[str, Estimate | None]:
    """The AUC of every contrast, chance 0.5; None where one of its kinds has no pairs.

    Args:
        cosines: (m,) cosine of each pair by kind.
        kinds: The pairs of `sample_pair_kinds`.
        identities: (n,) str of the images.
        bootstrap: Number of resamples and seed; people are resampled.
    """
    return {name: auc(*_joined(cosines, kinds, *both), identities, bootstrap) for name, both in CONTRASTS.items()}


def contrast_auc_difference(
    own: Mapping[str, np.ndarray],
    reference: Mapping[str, np.ndarray],
    kinds: Mapping[str, PairIndices],
    identities: np.ndarray,
    bootstrap: Bootstrap,
) -> dict[str, Estimate | None]:
    """The AUC of `own` cosines minus that of `reference` cosines for every contrast, resampled jointly."""
    differences: dict[str, Estimate | None] = {}
    for name, both in CONTRASTS.items():
        values, pairs = _joined(own, kinds, *both)
        reference_values, _ = _joined(reference, kinds, *both)
        differences[name] = auc_difference(values, reference_values, pairs, identities, bootstrap)
    return differences


def _joined(
    cosines: Mapping[str, np.ndarray], kinds: Mapping[str, PairIndices], positive: str, negative: str
) -> tuple[np.ndarray, Pairs]:
    values = np.concatenate([cosines[positive], cosines[negative]])
    return values, Pairs.join(kinds[positive], kinds[negative])
