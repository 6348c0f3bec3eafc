"""Subject-disjoint splits for probes: probe_train (P), probe_val (V) and probe_test (Q)."""

from dataclasses import dataclass, replace

import numpy as np

from facedis.metrics.near_duplicates import is_near_duplicate
from facedis.metrics.statistics.intervals import group_ids

#: Fraction of probe_train that becomes probe_val where no other split can.
VAL_FRACTION = 0.25
#: Fractions of probe_test and probe_val where all three come from one split.
WITHIN_SPLIT_FRACTIONS = (0.5, 0.1)


@dataclass(frozen=True)
class FaceLabels:
    """Labels, identities and splits of the N faces of a cache.

    Attributes:
        labels: (N,) int class of the model, -1 for an unusable face.
        identities: (N,) str, "" where unknown.
        splits: (N,) str.
    """

    labels: np.ndarray
    identities: np.ndarray
    splits: np.ndarray

    def rows(self, split: str) -> np.ndarray:
        """(n,) sorted rows of the usable faces of a split, or of "all"."""
        usable = self.labels >= 0
        return np.flatnonzero(usable if split == "all" else usable & (self.splits == split))


@dataclass(frozen=True)
class ProbeSplit:
    """Sorted rows of a cache.

    Attributes:
        probe_train: Rows that probes are fitted on (P).
        probe_val: Rows that their hyperparameters are chosen on (V).
        probe_test: Rows that they are tested on (Q).
        evaluated: All rows of the evaluated split, for metrics that need no probe.
        within_split: Whether P and V are taken from the evaluated split, so that Q is only a part of it.
        shared_identities: Number of rows excluded from P and V because their person is in Q or V.
        near_duplicates: Number of rows excluded from P and V because a near-duplicate is in Q or V.
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
        """(n,) sorted rows of all parts."""
        return np.unique(np.concatenate([self.probe_train, self.probe_val, self.evaluated]))


def split_for_probes(faces: FaceLabels, split: str, max_samples: int, seed: int) -> ProbeSplit:
    """The rows of P, V and Q for the evaluation of `split`.

    Q is the evaluated split, P comes from "train", and V is "val" or, where that is evaluated or missing, a
    quarter of P by people. Where "train" or "all" is evaluated, or there is no "train", one split is divided
    by people: half is Q, a tenth V, the rest P.

    Args:
        faces: All faces of the cache.
        split: "train", "val", "test" or "all".
        max_samples: Maximum number of rows of P, and of V; as balanced over the classes as their sizes permit.
        seed: Seed of the random choices.
    """
    generator, evaluated = np.random.default_rng(seed), faces.rows(split)
    all_train = faces.rows("train")
    if split in ("train", "all") or len(all_train) == 0:
        test, rest = _divide(evaluated, faces.identities, WITHIN_SPLIT_FRACTIONS[0], generator)
        val_fraction = WITHIN_SPLIT_FRACTIONS[1] / (1 - WITHIN_SPLIT_FRACTIONS[0])
        val, train = _divide(rest, faces.identities, val_fraction, generator)
        train, val = (_balanced(rows, faces.labels, max_samples, generator) for rows in (train, val))
        return ProbeSplit(train, val, test, evaluated, True, 0)
    all_val = faces.rows("val") if split != "val" else evaluated[:0]
    val = _without_people_of(all_val, evaluated, faces.identities)
    train = _without_people_of(all_train, np.concatenate([evaluated, val]), faces.identities)
    shared = len(all_val) + len(all_train) - len(val) - len(train)
    train, val = (_balanced(rows, faces.labels, max_samples, generator) for rows in (train, val))
    if len(val) == 0:
        val, train = _divide(train, faces.identities, VAL_FRACTION, generator)
    return ProbeSplit(train, val, evaluated, evaluated, False, shared)


def drop_near_duplicates(split: ProbeSplit, thumbnails: np.ndarray, identities: np.ndarray) -> ProbeSplit:
    """`split` without the rows of V with a near-duplicate in Q, and the rows of P with one in Q or V.

    Only faces of unknown people are compared; known people are in one part each.

    Args:
        split: From `split_for_probes`.
        thumbnails: (m, S, S) `facedis.metrics.near_duplicates.thumbnails` of `split.rows`.
        identities: (N,) str, "" where unknown.
    """

    def kept(rows: np.ndarray, references: np.ndarray) -> np.ndarray:
        unknown = [part[identities[part] == ""] for part in (rows, references)]
        duplicates = is_near_duplicate(*(thumbnails[np.searchsorted(split.rows, part)] for part in unknown))
        return np.setdiff1d(rows, unknown[0][duplicates])

    val = kept(split.probe_val, split.probe_test)
    train = kept(split.probe_train, np.concatenate([split.probe_test, val]))
    dropped = len(split.probe_val) + len(split.probe_train) - len(val) - len(train)
    return replace(split, probe_val=val, probe_train=train, near_duplicates=dropped)


def _without_people_of(rows: np.ndarray, others: np.ndarray, identities: np.ndarray) -> np.ndarray:
    known = np.setdiff1d(identities[others], [""])
    return rows[~np.isin(identities[rows], known)]


def _balanced(rows: np.ndarray, labels: np.ndarray, max_samples: int, generator: np.random.Generator) -> np.ndarray:
    """At most `max_samples` random `rows`, as balanced over the classes as their sizes permit."""
    rows = generator.permutation(rows)
    rank = np.empty(len(rows), int)  # the first row of each class, then the second of each, ...
    for label in np.unique(labels[rows]):
        of_class = labels[rows] == label
        rank[of_class] = np.arange(of_class.sum())
    return np.sort(rows[np.argsort(rank, kind="stable")[:max_samples]])


def _divide(
    rows: np.ndarray, identities: np.ndarray, fraction: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """All rows of randomly chosen people, at least one, until `fraction` of the rows is reached; and the other rows."""
    if len(rows) == 0:
        return rows, rows
    people = group_ids(identities[rows])
    order = generator.permutation(people.max() + 1)
    sizes = np.bincount(people)[order]
    taken = np.isin(people, order[np.cumsum(sizes) - sizes < fraction * len(rows)])
    return rows[taken], rows[~taken]
