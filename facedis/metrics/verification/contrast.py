"""Same and different expression x same and different person: the contrast that a table of like pairs leaves out."""

from collections.abc import Mapping

import numpy as np

from facedis.metrics.statistics.intervals import Bootstrap, group_ids
from facedis.metrics.verification.pairs import MAX_PAIRS, Pairs, auc, auc_difference, sample_pairs
from facedis.result import Estimate

#: The four kinds of pairs.
PAIR_KINDS = (
    "same_expression_same_person",
    "same_expression_other_person",
    "other_expression_same_person",
    "other_expression_other_person",
)
#: What is told apart: the kind that should be alike, and the one that should not.
CONTRASTS = {
    "same_expression": ("same_expression_other_person", "other_expression_other_person"),
    "same_expression_one_person": ("same_expression_same_person", "other_expression_same_person"),
    "same_person": ("other_expression_same_person", "same_expression_other_person"),
    "same_person_one_expression": ("same_expression_same_person", "same_expression_other_person"),
}
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)

#: Indices of the first and of the second images of m pairs, (m,) each.
PairIndices = tuple[np.ndarray, np.ndarray]


def sample_pair_kinds(
    labels: np.ndarray, identities: np.ndarray, seed: int, most: int = MAX_PAIRS
) -> dict[str, PairIndices]:
    """Random pairs of every kind, in random order, so that the first of them are a random choice too.

    Args:
        labels: (n,) int expressions.
        identities: (n,) str people; an unknown one counts as different from everybody.
        seed: Of the draw.
        most: Pairs of a kind; all are equally likely.

    Returns:
        The pairs by kind; a kind that does not occur has none.
    """
    generator = np.random.default_rng(seed)
    people, everybody = group_ids(identities), np.zeros(len(labels), int)
    found: dict[str, PairIndices] = {}
    for kind in PAIR_KINDS:
        alike, one = kind.startswith("same_expression"), kind.endswith("same_person")

        def wanted(first: np.ndarray, second: np.ndarray, alike: bool = alike, one: bool = one) -> np.ndarray:
            return ((labels[first] == labels[second]) == alike) & ((people[first] == people[second]) == one)

        groups = people if one else labels if alike else everybody
        first, second = sample_pairs(groups, wanted, most, generator)
        order = generator.permutation(len(first))
        found[kind] = first[order], second[order]
    return found


def summarise(values: np.ndarray) -> dict[str, float | int | dict[str, float]] | None:
    """`n`, `mean`, `sd` and `quantiles` (5, 25, 50, 75, 95 %) of the (m,) `values`; None of none."""
    if not len(values):
        return None
    shares = {f"{share:.0%}".rstrip("%"): float(value) for share, value in zip(_SHARES, _cut(values), strict=True)}
    return {"n": len(values), "mean": float(values.mean()), "sd": float(values.std()), "quantiles": shares}


def contrast_auc(
    cosines: Mapping[str, np.ndarray], kinds: Mapping[str, PairIndices], identities: np.ndarray, plan: Bootstrap
) -> dict[str, Estimate | None]:
    """The AUC of every contrast, chance 0.5, with its interval; None where one of its kinds has no pair.

    Args:
        cosines: By kind, (m,) of each of its pairs.
        kinds: The pairs of `sample_pair_kinds`.
        identities: (n,) str people of the images.
        plan: Of the intervals; people are drawn.
    """
    return {name: auc(*_both(cosines, kinds, contrast), identities, plan) for name, contrast in CONTRASTS.items()}


def contrast_auc_difference(
    own: Mapping[str, np.ndarray],
    reference: Mapping[str, np.ndarray],
    kinds: Mapping[str, PairIndices],
    identities: np.ndarray,
    plan: Bootstrap,
) -> dict[str, Estimate | None]:
    """The AUC of `own` cosines minus that of `reference` cosines for every contrast, people drawn for both at once."""
    found: dict[str, Estimate | None] = {}
    for name, contrast in CONTRASTS.items():
        values, pairs = _both(own, kinds, contrast)
        found[name] = auc_difference(values, _both(reference, kinds, contrast)[0], pairs, identities, plan)
    return found


def _both(
    cosines: Mapping[str, np.ndarray], kinds: Mapping[str, PairIndices], contrast: tuple[str, str]
) -> tuple[np.ndarray, Pairs]:
    alike, other = contrast
    first, second = (np.concatenate([kinds[alike][side], kinds[other][side]]) for side in (0, 1))
    positive = np.arange(len(first)) < len(kinds[alike][0])
    return np.concatenate([cosines[alike], cosines[other]]), Pairs(first, second, positive)


def _cut(values: np.ndarray) -> np.ndarray:
    return np.quantile(values, _SHARES)
