"""Which faces train a probe (P), choose its settings (V) and test it (Q): no person is in two of them."""

from dataclasses import dataclass, replace

import numpy as np

from facedis.metrics.near_duplicates import is_near_duplicate
from facedis.metrics.statistics.intervals import group_ids

#: Share of P that becomes V where no other split can be V.
VAL_FRACTION = 0.25
#: Shares of Q and V where all three come out of one split.
WITHIN_SPLIT_FRACTIONS = (0.5, 0.1)


@dataclass(frozen=True)
class FaceLabels:
    """What is known about the N faces of a cache.

    Attributes:
        labels: (N,) int class of the model, -1 for a face that cannot be used.
        identities: (N,) str, "" where unknown.
        splits: (N,) str.
    """

    labels: np.ndarray
    identities: np.ndarray
    splits: np.ndarray

    def rows(self, split: str) -> np.ndarray:
        """(n,) Rising rows of a split, or of "all", that can be used."""
        usable = self.labels >= 0
        return np.flatnonzero(usable if split == "all" else usable & (self.splits == split))


@dataclass(frozen=True)
class ProbeSplit:
    """Rising rows of a cache.

    Attributes:
        probe_train: P.
        probe_val: V.
        probe_test: Q.
        evaluated: All faces of the evaluated split, for what needs no probe.
        within_split: Whether P and V were taken out of the evaluated split, so that Q is a part of it.
        shared_identities: Rows that were left out of P and V because their person is in Q or V.
        near_duplicates: Rows that were left out of P and V because their picture is in Q or V.
    """

    probe_train: np.ndarray
    probe_val: np.ndarray
    probe_test: np.ndarray
    evaluated: np.ndarray
    within_split: bool
    shared_identities: int
    near_duplicates: int = 0

    @property
    def rows(self) -> np.ndarray:
        """(n,) Rising rows that are in any part."""
        return np.unique(np.concatenate([self.probe_train, self.probe_val, self.evaluated]))


def split_for_probes(faces: FaceLabels, split: str, most: int, seed: int) -> ProbeSplit:
    """P, V and Q for the evaluation of `split`.

    Q is the evaluated split, P comes from "train", V is "val" or, where that is evaluated or
    missing, a quarter of P by people. Where "train" itself or "all" is evaluated, or there is no
    "train", one split is divided by people: half Q, a tenth V, the rest P.

    Args:
        faces: All faces of the cache.
        split: "train", "val", "test" or "all".
        most: Most rows of P, and of V; every class gets equally many as far as it has them.
        seed: Of the choice.
    """
    generator, whole = np.random.default_rng(seed), faces.rows(split)
    train = faces.rows("train")
    if split in ("train", "all") or len(train) == 0:
        test, rest = _divide(whole, faces.identities, WITHIN_SPLIT_FRACTIONS[0], generator)
        selection, probe = _divide(
            rest, faces.identities, WITHIN_SPLIT_FRACTIONS[1] / (1 - WITHIN_SPLIT_FRACTIONS[0]), generator
        )
        probe, selection = (_balanced(part, faces.labels, most, generator) for part in (probe, selection))
        return ProbeSplit(probe, selection, test, whole, True, 0)
    val = faces.rows("val") if split != "val" else whole[:0]
    selection = _without_people_of(val, whole, faces.identities)
    probe = _without_people_of(train, np.concatenate([whole, selection]), faces.identities)
    shared = len(val) + len(train) - len(selection) - len(probe)
    probe, selection = (_balanced(part, faces.labels, most, generator) for part in (probe, selection))
    if len(selection) == 0:
        selection, probe = _divide(probe, faces.identities, VAL_FRACTION, generator)
    return ProbeSplit(probe, selection, whole, whole, False, shared)


def drop_near_duplicates(parts: ProbeSplit, pictures: np.ndarray, identities: np.ndarray) -> ProbeSplit:
    """`parts` without those faces of P and V whose picture is among the evaluated ones, or of P in V.

    Only faces of nobody known by name are compared: people who are, are apart already.

    Args:
        parts: As `split_for_probes` gives them.
        pictures: (m, S, S) `sketches` of `parts.rows`.
        identities: (N,) str, "" where unknown.
    """

    def kept(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        asked, known = (part[identities[part] == ""] for part in (rows, others))
        there = is_near_duplicate(*(pictures[np.searchsorted(parts.rows, part)] for part in (asked, known)))
        return np.setdiff1d(rows, asked[there])

    selection = kept(parts.probe_val, parts.probe_test)
    probe = kept(parts.probe_train, np.concatenate([parts.probe_test, selection]))
    copies = len(parts.probe_val) + len(parts.probe_train) - len(selection) - len(probe)
    return replace(parts, probe_val=selection, probe_train=probe, near_duplicates=copies)


def _without_people_of(rows: np.ndarray, others: np.ndarray, identities: np.ndarray) -> np.ndarray:
    known = np.setdiff1d(identities[others], [""])
    return rows[~np.isin(identities[rows], known)]


def _balanced(rows: np.ndarray, labels: np.ndarray, most: int, generator: np.random.Generator) -> np.ndarray:
    """At most `most` random `rows`, every class equally often as far as it has them."""
    rows = generator.permutation(rows)
    turn = np.empty(len(rows), int)  # the first of each class, then the second of each, ...
    for label in np.unique(labels[rows]):
        of_class = labels[rows] == label
        turn[of_class] = np.arange(of_class.sum())
    return np.sort(rows[np.argsort(turn, kind="stable")[:most]])


def _divide(
    rows: np.ndarray, identities: np.ndarray, share: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Whole people until `share` of the `rows` is reached, at least one; and all others."""
    if len(rows) == 0:
        return rows, rows
    people = group_ids(identities[rows])
    order = generator.permutation(people.max() + 1)
    before = np.cumsum(np.bincount(people)[order]) - np.bincount(people)[order]
    taken = np.isin(people, order[before < share * len(rows)])
    return rows[taken], rows[~taken]
