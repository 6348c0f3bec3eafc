"""Closed-set identification from codes: probes for one of K known people, tested on unseen expressions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facedis.metrics.probes.linear import ProbeData
from facedis.metrics.probes.probe_suite import fit_probes
from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_ci, mean_ci, ratio
from facedis.result import Estimate

#: Maximum number of people.
MAX_IDENTITIES = 200
#: Minimum number of faces of a person: one each for P, V and Q.
MIN_FACES = 3
#: Fraction of each person's expressions in V, and in Q.
HELD_OUT_FRACTION = 0.25


@dataclass(frozen=True)
class ClosedSet:
    """Faces of K people, each of whom is in P, V and Q.

    Attributes:
        labels: (n,) int person 0..K-1 of every face of the table, -1 for an unused face.
        train, val, test: Sorted indices of the faces of P, V and Q.
        cross_expression_fraction: Fraction of Q's faces with an expression of which P has no face of that person.
    """

    labels: np.ndarray
    train: np.ndarray
    val: np.ndarray
    test: np.ndarray
    cross_expression_fraction: float

    @property
    def num_identities(self) -> int:
        """K."""
        return int(self.labels.max()) + 1


def closed_set(
    labels: np.ndarray, identities: np.ndarray, seed: int, max_identities: int = MAX_IDENTITIES
) -> ClosedSet | None:
    """Divide each person's faces into P, V and Q by expression.

    Otherwise a face of Q could be nearly identical to one of P. The faces of a person with a single expression
    are divided individually.

    Args:
        labels: (n,) int expressions.
        identities: (n,) str, "" where unknown.
        seed: Seed of the choice of people and of the division.
        max_identities: Maximum number of people, chosen at random.

    Returns:
        None where fewer than two people have three faces.
    """
    generator = np.random.default_rng(seed)
    names, counts = np.unique(identities[identities != ""], return_counts=True)
    chosen = np.sort(generator.permutation(names[counts >= MIN_FACES])[:max_identities])
    if len(chosen) < 2:
        return None
    people = np.full(len(labels), -1)
    parts = np.full(len(labels), -1)
    for person, name in enumerate(chosen):
        rows = np.flatnonzero(identities == name)
        people[rows] = person
        parts[rows] = _divided(labels[rows], generator)
    train, val, test = (np.flatnonzero(parts == part) for part in range(3))
    known = set(zip(people[train], labels[train], strict=True))
    unseen = np.mean([pair not in known for pair in zip(people[test], labels[test], strict=True)])
    return ClosedSet(people, train, val, test, float(unseen))


def _divided(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(n,) part of each face of one person: 0 train, 1 val, 2 test."""
    expressions, groups = np.unique(labels, return_inverse=True)
    if len(expressions) < 3:
        return _divided_few(groups, generator)
    order = generator.permutation(len(expressions))
    held_out = max(1, round(HELD_OUT_FRACTION * len(expressions)))
    part = np.zeros(len(expressions), int)
    part[order[:held_out]] = 2
    part[order[held_out : 2 * held_out]] = 1
    return part[groups]


def _divided_few(groups: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """`_divided` for one or two expressions: of two, one is tested and the faces of the other are divided."""
    n = len(groups)
    part = np.zeros(n, int)
    order = generator.permutation(n)
    if groups.max() == 1:
        test = generator.integers(2)
        others = order[groups[order] != test]
        if len(others) >= 2:
            part[groups == test] = 2
            part[others[: max(1, round(HELD_OUT_FRACTION * len(others)))]] = 1
            return part
    held_out = max(1, round(HELD_OUT_FRACTION * n))
    part[order[:held_out]], part[order[held_out : 2 * held_out]] = 2, 1
    return part


@dataclass(frozen=True)
class IdentityProbeResult:
    """Result of one probe for the identity.

    Attributes:
        balanced_accuracy: Mean recall over the people on Q, chance 1/K.
        val_score: The same on V.
        hyperparameters: The values chosen on V.
        recalls: (K,) recall of each person on Q.
    """

    balanced_accuracy: Estimate
    val_score: float
    hyperparameters: dict[str, float]
    recalls: np.ndarray


def run_identity_probes(
    codes: np.ndarray, faces: ClosedSet, kinds: Sequence[str], bootstrap: Bootstrap
) -> dict[str, IdentityProbeResult]:
    """Fit probes for the identity on one code and test them.

    Args:
        codes: (n, D) float of all faces of the table.
        faces: The division into P, V and Q.
        kinds: Kinds of probes, out of `facedis.metrics.probes.probe_suite.PROBE_KINDS`.
        bootstrap: Number of resamples and seed; people are resampled.
    """
    train, val, test = (ProbeData(codes[rows], faces.labels[rows]) for rows in (faces.train, faces.val, faces.test))
    k = faces.num_identities
    results = {}
    for kind, probe in fit_probes(train, val, k, kinds, bootstrap.seed).items():
        hits = probe.logits(test.codes).argmax(axis=1) == test.labels
        recalls = np.bincount(test.labels, hits, k) / np.bincount(test.labels, minlength=k)
        mean = mean_ci(recalls, np.arange(k).astype(str), bootstrap, 1 / k)
        results[kind] = IdentityProbeResult(
            Estimate(mean.value, mean.low, mean.high, mean.chance, len(hits)),
            probe.val_score,
            dict(probe.hyperparameters),
            recalls,
        )
    return results


def normalised_identity(
    own: IdentityProbeResult, trunk: IdentityProbeResult, n: int, bootstrap: Bootstrap
) -> Estimate | None:
    """The accuracy of `own` above chance divided by that of `trunk`, with people resampled jointly.

    Args:
        own: Of the code in question.
        trunk: Of the trunk features.
        n: Number of faces of Q.
        bootstrap: Number of resamples and seed.

    Returns:
        None where the trunk itself is not above chance.
    """
    chance = 1 / len(own.recalls)
    if (trunk.balanced_accuracy.low or 0.0) <= chance:
        return None
    terms = np.stack([own.recalls - chance, trunk.recalls - chance], axis=1)
    share = bootstrap_ci(terms, ratio, np.arange(len(own.recalls)).astype(str), bootstrap, 0.0)
    return Estimate(share.value, share.low, share.high, 0.0, n)
