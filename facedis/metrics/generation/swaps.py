"""Swaps judged: which are drawn, and what is counted of them, with intervals over both people of each."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from facedis.metrics.classification.accuracy import balanced_accuracy, confusion_statistic, confusion_terms
from facedis.metrics.generation.image_quality import has_single_pair, pair_weights
from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_weights, group_ids, percentile_interval, wilson_ci
from facedis.metrics.verification.pairs import Pairs, auc, cosines
from facedis.metrics.verification.recognition import FAR
from facedis.result import Estimate


@dataclass(frozen=True)
class Donors:
    """Who gives what to each of m swaps, as indices into n faces.

    Attributes:
        rest: (m,) the face that gives everything but the expression.
        expression: (m,) the face that gives the expression; it shows another one than the first.
    """

    rest: np.ndarray
    expression: np.ndarray

    def __len__(self) -> int:
        return len(self.rest)


def sample_donors(labels: np.ndarray, identities: np.ndarray, across: bool, most: int, seed: int) -> Donors:
    """At most `most` swaps in random order, as many as can be had of every two expressions.

    Args:
        labels: (n,) int.
        identities: (n,) str, "" where unknown.
        across: Whether rest and expression come from different people; else both from one known
            person. Unknown people count as different from everybody.
        most: Swaps; all expressions of a donor are drawn equally often as far as they go round.
        seed: Decides which.
    """
    generator = np.random.default_rng([seed, int(across)])
    people, known = group_ids(identities), identities != ""
    cells = [(a, b) for a in np.unique(labels) for b in np.unique(labels) if a != b]
    each = -(-most // max(len(cells), 1))
    found = [np.empty((0, 2), int)]
    for a, b in cells:
        first, second = np.flatnonzero(labels == a), np.flatnonzero(labels == b)
        same = people[first][:, None] == people[second][None]
        fits = ~same if across else same & known[first][:, None]
        places = np.flatnonzero(fits)
        if len(places) > each:
            places = generator.choice(places, each, replace=False)
        found.append(np.stack([first[places // len(second)], second[places % len(second)]], axis=1))
    pairs = generator.permutation(np.concatenate(found))[:most]
    return Donors(pairs[:, 0], pairs[:, 1])


@dataclass(frozen=True)
class DonorGroups:
    """The people of m swaps, for intervals.

    A resample draws people; a swap of two people comes as often as the product of the two.

    Attributes:
        first, second: (m,) int group of the rest donor and of the expression donor.
    """

    first: np.ndarray
    second: np.ndarray

    @classmethod
    def from_donors(cls, donors: Donors, identities: np.ndarray) -> "DonorGroups":
        """Of `donors`, who are indices into the (n,) `identities`."""
        groups = group_ids(identities)
        return cls(groups[donors.rest], groups[donors.expression])

    def take(self, chosen: np.ndarray) -> "DonorGroups":
        """Those of some of the swaps."""
        return DonorGroups(self.first[chosen], self.second[chosen])

    @property
    def pairs(self) -> np.ndarray:
        """(m, 2)."""
        return np.stack([self.first, self.second], axis=1)

    def bootstrap_ci(
        self,
        terms: np.ndarray,
        statistic: Callable[[np.ndarray], np.ndarray],
        plan: Bootstrap,
        chance: float | None = None,
    ) -> Estimate:
        """A statistic of the sums over swaps of (m, t) `terms`, as `intervals.bootstrap` takes it."""
        n = len(terms)
        if n == 0:
            return Estimate(float("nan"), chance=chance, n=0)
        value = float(statistic(terms.sum(axis=0, dtype=np.float64)))
        if has_single_pair(self.pairs):
            return Estimate(value, None, None, chance, n)
        people = np.unique(self.pairs)
        first, second = np.searchsorted(people, self.first), np.searchsorted(people, self.second)
        with np.errstate(divide="ignore", invalid="ignore"):
            draws = [
                statistic(pair_weights(often, first, second) @ terms) for often in bootstrap_weights(len(people), plan)
            ]
        return Estimate(value, *percentile_interval(np.concatenate(draws)), chance, n)

    def mean_ci(self, values: np.ndarray, plan: Bootstrap, chance: float | None = None) -> Estimate:
        """The mean of (m,) `values`."""
        values = np.asarray(values, np.float64)
        return self.bootstrap_ci(np.stack([values, np.ones_like(values)], axis=1), _ratio, plan, chance)

    def proportion_ci(self, hits: np.ndarray, plan: Bootstrap, chance: float | None = None) -> Estimate:
        """The share of (m,) bool `hits`; where all agree Wilson's interval for as many as there are people."""
        if len(hits) and (hits.all() or not hits.any()):
            people = len(np.unique(self.pairs))
            return replace(wilson_ci(people * bool(hits.all()), people, chance), n=len(hits))
        return self.mean_ci(hits, plan, chance)

    def balanced_accuracy_ci(self, answers: np.ndarray, labels: np.ndarray, classes: int, plan: Bootstrap) -> Estimate:
        """Balanced accuracy of (m,) `answers` for (m,) `labels`; chance one over the labels that occur."""
        chance = 1 / max(1, len(np.unique(labels)))
        if len(labels) and (answers == labels).all():
            return self.proportion_ci(np.ones(len(labels), bool), plan, chance)
        statistic = confusion_statistic(balanced_accuracy, classes)
        return self.bootstrap_ci(confusion_terms(labels, answers, classes), statistic, plan, chance)


@dataclass(frozen=True)
class RealPairScores:
    """How a judge of people sees real faces, and from where on it says "the same person".

    Attributes:
        genuine, impostor: (p,) and (q,) cosines: one person with two expressions, two people with one.
        genuine_groups, impostor_groups: Of those pairs.
        threshold: Above this cosine, 1 % of the impostors are accepted.
        auc: Of telling both kinds apart; chance 0.5.
    """

    genuine: np.ndarray
    impostor: np.ndarray
    genuine_groups: DonorGroups
    impostor_groups: DonorGroups
    threshold: float
    auc: Estimate

    @classmethod
    def from_embeddings(
        cls, embeddings: np.ndarray, pairs: Pairs, identities: np.ndarray, plan: Bootstrap
    ) -> "RealPairScores | None":
        """From the (n, D) `embeddings` of real faces; None where one kind has no pair."""
        values = cosines(embeddings, pairs.first, pairs.second)
        area = auc(values, pairs, identities, plan)
        if area is None:
            return None
        true, groups = pairs.positive, DonorGroups.from_donors(Donors(pairs.first, pairs.second), identities)
        threshold = float(np.quantile(values[~true], 1 - FAR))
        return cls(values[true], values[~true], groups.take(true), groups.take(~true), threshold, area)


def paired_cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(m,) cosines of the rows of two (m, D) arrays."""
    rows = np.arange(len(first))
    return cosines(np.concatenate([first, second]), rows, rows + len(first))


def ground_truth_faces(
    donors: Donors,
    labels: np.ndarray,
    identities: np.ndarray,
    settings: np.ndarray | None,
    strength: np.ndarray | None,
    one_setting: bool = False,
) -> np.ndarray:
    """(m,) index of the face that shows what each swap should, -1 where there is none.

    Where the setting of every face is known: a face of the rest donor's person in the rest donor's
    setting with the expression donor's expression, as strong as there. Of photographs that were taken
    of everybody in one setting, for a swap within a person, the expression donor itself.

    Args:
        donors: Of the swaps.
        labels: (n,) int.
        identities: (n,) str.
        settings: (n, f) pose, light, camera; None where unknown.
        strength: (n,) intensity of the expression; None likewise.
        one_setting: Whether pose and light of a person's photographs are the same.
    """
    people = group_ids(identities)
    if settings is None or strength is None:
        same = people[donors.rest] == people[donors.expression]
        return np.where(same & one_setting, donors.expression, -1)
    rows = np.column_stack([people, labels, strength, settings]).round(5)
    wanted = np.column_stack(
        [people[donors.rest], labels[donors.expression], strength[donors.expression], settings[donors.rest]]
    ).round(5)
    place = {tuple(row): index for index, row in enumerate(rows)}
    return np.array([place.get(tuple(row), -1) for row in wanted], dtype=int)


def other_faces_of_person(rows: np.ndarray, identities: np.ndarray, seed: int) -> np.ndarray:
    """(m,) for each of `rows` another face of the same known person, at random; -1 where there is none."""
    generator = np.random.default_rng(seed)
    faces = {name: np.flatnonzero(identities == name) for name in np.unique(identities[rows]) if name}
    found = np.full(len(rows), -1)
    for place, row in enumerate(rows):
        others = faces.get(identities[row], rows[:0])
        others = others[others != row]
        if len(others):
            found[place] = generator.choice(others)
    return found


def _ratio(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]
