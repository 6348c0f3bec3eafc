"""Is it the same person? Error rates at a threshold, and the nearest of many."""

from dataclasses import dataclass

import numpy as np

from facedis.metrics.statistics.intervals import (
    Bootstrap,
    bootstrap_ci,
    bootstrap_weights,
    group_ids,
    percentile_interval,
)
from facedis.metrics.verification.pairs import Pairs, unit_vectors
from facedis.result import Estimate

#: The false accepts that are allowed.
FAR = 0.01
#: Galleries that are drawn for the rank-1 rate.
NUM_GALLERIES = 5
#: Most people of a gallery.
MAX_GALLERY_SIZE = 1_000


def verification_rates(
    values: np.ndarray, pairs: Pairs, identities: np.ndarray, plan: Bootstrap
) -> dict[str, Estimate] | None:
    """Equal error rate, and the share of true pairs accepted where 1 % of the false ones are.

    Args:
        values: (m,) likeness of each pair, higher is more alike.
        pairs: Which pairs, and which are true.
        identities: (n,) str of the faces.
        plan: Of the intervals; people are drawn.

    Returns:
        `eer` in 0..1, chance 0.5, and `tar_at_far_1` in 0..1, chance 0.01; None where one of the
        kinds has no pair. Pairs that are equally alike are accepted together or not at all, and in
        between the rates are interpolated.

    Source: ISO/IEC 19795-1, Biometric performance testing and reporting, 2006.
    """
    if pairs.positive.all() or not pairs.positive.any():
        return None
    curve = _Curve.of(values, pairs, group_ids(identities))
    draws = (
        [curve.rates(drawn) for block in bootstrap_weights(curve.people, plan) for drawn in block]
        if curve.people > 1
        else []
    )
    known = np.array(draws).reshape(-1, 2)
    found = zip(("eer", "tar_at_far_1"), curve.rates(np.ones(curve.people)), known.T, (0.5, FAR), strict=True)
    return {
        name: Estimate(value, *percentile_interval(drawn), chance, len(pairs)) for name, value, drawn, chance in found
    }


@dataclass(frozen=True)
class _Curve:
    """Pairs from the most alike down, and where each likeness ends."""

    people: int
    first: np.ndarray
    second: np.ndarray
    positive: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, pairs: Pairs, groups: np.ndarray) -> "_Curve":
        people = int(groups.max()) + 1
        order = np.argsort(-values, kind="stable")
        first, second = groups[pairs.first[order]], groups[pairs.second[order]]
        ends = np.flatnonzero(np.diff(values[order], append=np.nan) != 0)
        return cls(people, first, np.where(first == second, people, second), pairs.positive[order], ends)

    def rates(self, drawn: np.ndarray) -> tuple[float, float]:
        """Equal error rate and accepted share where each person was drawn (people,) `drawn` times."""
        often = np.append(drawn, 1.0)
        weight = often[self.first] * often[self.second]
        true, false = (np.cumsum(np.where(kind, weight, 0.0)) for kind in (self.positive, ~self.positive))
        if true[-1] == 0 or false[-1] == 0:
            return float("nan"), float("nan")
        accepted = np.append(0.0, true[self.ends] / true[-1])
        far = np.append(0.0, false[self.ends] / false[-1])
        gap = far - (1 - accepted)  # rises from -1 to 1
        place = int(np.searchsorted(gap, 0.0))
        step = -gap[place - 1] / (gap[place] - gap[place - 1])
        eer = far[place - 1] + step * (far[place] - far[place - 1])
        upper = int(np.searchsorted(far, FAR, "right"))  # the first beyond the allowed rate
        if upper == len(far):
            return float(eer), 1.0
        part = (FAR - far[upper - 1]) / (far[upper] - far[upper - 1])
        return float(eer), float(accepted[upper - 1] + part * (accepted[upper] - accepted[upper - 1]))


def rank_one(codes: np.ndarray, labels: np.ndarray, identities: np.ndarray, plan: Bootstrap) -> Estimate | None:
    """How often the most alike face of a gallery is the same person's, who shows another expression there.

    A gallery has one face of each person. Asked are all faces of those people that show another
    expression than their own face in the gallery. Five galleries are drawn; each person counts the same.

    Returns:
        A share in 0..1, chance one over the people; None where fewer than two people show two expressions.
    """
    generator = np.random.default_rng(plan.seed)
    several = generator.permutation(_with_two_expressions(labels, identities))[:MAX_GALLERY_SIZE]
    if len(several) < 2:
        return None
    units = unit_vectors(codes)
    rows = {name: np.flatnonzero(identities == name) for name in several}
    hits, asked = np.zeros(len(several)), np.zeros(len(several))
    for _ in range(NUM_GALLERIES):
        gallery = np.array([generator.choice(rows[name]) for name in several])
        faces = [rows[name][labels[rows[name]] != labels[shown]] for name, shown in zip(several, gallery, strict=True)]
        person = np.repeat(np.arange(len(several)), [len(found) for found in faces])
        likeness = units[np.concatenate(faces)] @ units[gallery].T
        best = likeness.max(axis=1, keepdims=True) - 1e-12
        tied = likeness >= best  # equally alike people share the hit: a constant code is right by chance
        hits += np.bincount(person, tied[np.arange(len(person)), person] / tied.sum(axis=1), len(several))
        asked += np.bincount(person, minlength=len(several))
    terms = np.stack([hits / asked, np.ones(len(several))], axis=1)
    figure = bootstrap_ci(terms, lambda sums: sums[..., 0] / sums[..., 1], several, plan, 1 / len(several))
    return Estimate(figure.value, figure.low, figure.high, figure.chance, int(asked.sum()))


def _with_two_expressions(labels: np.ndarray, identities: np.ndarray) -> np.ndarray:
    """(p,) str people who show at least two expressions."""
    known = identities != ""
    pairs = np.unique(np.stack([identities[known], labels[known].astype(str)], axis=1), axis=0)
    names, counts = np.unique(pairs[:, 0], return_counts=True)
    return names[counts >= 2]
