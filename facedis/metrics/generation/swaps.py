"""Expression swaps: sampling of donors, ground truth, and reference scores of real pairs."""

from dataclasses import dataclass

import numpy as np

from facedis.metrics.classification.accuracy import (
    balanced_accuracy,
    chance_level,
    confusion_statistic,
    confusion_terms,
)
from facedis.metrics.statistics.intervals import Bootstrap, group_ids
from facedis.metrics.statistics.pair_groups import PairGroups
from facedis.metrics.verification.pairs import Pairs, auc, cosines
from facedis.metrics.verification.recognition import FAR
from facedis.result import Estimate


@dataclass(frozen=True)
class Donors:
    """The donors of m swaps, as indices into n faces.

    Attributes:
        rest: (m,) face that provides everything but the expression.
        expression: (m,) face that provides the expression, which differs from the rest donor's.
    """

    rest: np.ndarray
    expression: np.ndarray

    def __len__(self) -> int:
        return len(self.rest)


def sample_donors(labels: np.ndarray, identities: np.ndarray, across: bool, max_swaps: int, seed: int) -> Donors:
    """Random donors in random order, balanced over the ordered pairs of two expressions.

    Args:
        labels: (n,) int.
        identities: (n,) str, "" where unknown.
        across: Whether both donors are different people; otherwise both are the same known person. An unknown
            person counts as different from all others.
        max_swaps: Maximum number of swaps.
        seed: Seed of the choice.
    """
    generator = np.random.default_rng([seed, int(across)])
    people, known = group_ids(identities), identities != ""
    cells = [(a, b) for a in np.unique(labels) for b in np.unique(labels) if a != b]
    per_cell = -(-max_swaps // max(len(cells), 1))
    pairs = [np.empty((0, 2), int)]
    for a, b in cells:
        first, second = np.flatnonzero(labels == a), np.flatnonzero(labels == b)
        same = people[first][:, None] == people[second][None]
        candidates = np.flatnonzero(~same if across else same & known[first][:, None])
        if len(candidates) > per_cell:
            candidates = generator.choice(candidates, per_cell, replace=False)
        pairs.append(np.stack([first[candidates // len(second)], second[candidates % len(second)]], axis=1))
    chosen = generator.permutation(np.concatenate(pairs))[:max_swaps]
    return Donors(chosen[:, 0], chosen[:, 1])


def swap_accuracy_ci(
    groups: PairGroups, predictions: np.ndarray, labels: np.ndarray, num_classes: int, bootstrap: Bootstrap
) -> Estimate:
    """Balanced accuracy of the (m,) `predictions` for the (m,) `labels`; chance is one over the labels that occur."""
    chance = chance_level(labels)
    if len(labels) and (predictions == labels).all():
        return groups.proportion_ci(np.ones(len(labels), bool), bootstrap, chance)
    statistic = confusion_statistic(balanced_accuracy, num_classes)
    return groups.bootstrap_ci(confusion_terms(labels, predictions, num_classes), statistic, bootstrap, chance)


@dataclass(frozen=True)
class RealPairScores:
    """Similarity of real faces under an identity model.

    Attributes:
        genuine, impostor: (p,) and (q,) cosines of pairs of one person with two expressions, and of two people
            with the same expression.
        genuine_groups, impostor_groups: People of those pairs.
        threshold: The cosine above which 1 % of the impostor pairs are accepted.
        auc: AUC of genuine against impostor pairs; chance 0.5.
    """

    genuine: np.ndarray
    impostor: np.ndarray
    genuine_groups: PairGroups
    impostor_groups: PairGroups
    threshold: float
    auc: Estimate

    @classmethod
    def from_embeddings(
        cls, embeddings: np.ndarray, pairs: Pairs, identities: np.ndarray, bootstrap: Bootstrap
    ) -> "RealPairScores | None":
        """From the (n, D) `embeddings` of real faces; None where there are no genuine or no impostor pairs."""
        values = cosines(embeddings, pairs.first, pairs.second)
        area = auc(values, pairs, identities, bootstrap)
        if area is None:
            return None
        genuine, groups = pairs.positive, PairGroups.from_indices(pairs.first, pairs.second, identities)
        threshold = float(np.quantile(values[~genuine], 1 - FAR))
        return cls(values[genuine], values[~genuine], groups.take(genuine), groups.take(~genuine), threshold, area)


def paired_cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(m,) cosines of the rows of two (m, D) arrays."""
    rows = np.arange(len(first))
    return cosines(np.concatenate([first, second]), rows, rows + len(first))


def ground_truth_faces(
    donors: Donors,
    labels: np.ndarray,
    identities: np.ndarray,
    capture: np.ndarray | None,
    intensity: np.ndarray | None,
    same_capture: bool = False,
) -> np.ndarray:
    """(m,) index of the face that each swap should produce, -1 where there is none.

    Where the capture conditions of every face are known: a face of the rest donor's person under the rest
    donor's conditions, with the expression donor's expression at its intensity. For photographs of one person
    that are all taken under the same conditions, the expression donor itself.

    Args:
        donors: Donors of the swaps.
        labels: (n,) int.
        identities: (n,) str.
        capture: (n, f) pose, light and camera; None where unknown.
        intensity: (n,) intensity of the expression; None where unknown.
        same_capture: Whether pose and light are the same in all photographs of a person.
    """
    people = group_ids(identities)
    if capture is None or intensity is None:
        same = people[donors.rest] == people[donors.expression]
        return np.where(same & same_capture, donors.expression, -1)
    faces = np.column_stack([people, labels, intensity, capture]).round(5)
    targets = np.column_stack(
        [people[donors.rest], labels[donors.expression], intensity[donors.expression], capture[donors.rest]]
    ).round(5)
    index = {tuple(face): number for number, face in enumerate(faces)}
    return np.array([index.get(tuple(target), -1) for target in targets], dtype=int)


def other_faces_of_person(rows: np.ndarray, identities: np.ndarray, seed: int) -> np.ndarray:
    """(m,) for each of `rows` a random other face of the same known person; -1 where there is none."""
    generator = np.random.default_rng(seed)
    faces = {name: np.flatnonzero(identities == name) for name in np.unique(identities[rows]) if name}
    chosen = np.full(len(rows), -1)
    for number, row in enumerate(rows):
        others = faces.get(identities[row], rows[:0])
        others = others[others != row]
        if len(others):
            chosen[number] = generator.choice(others)
    return chosen
