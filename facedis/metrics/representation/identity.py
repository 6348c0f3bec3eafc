"""Who is it? Probes that name one of K known people, on faces with expressions they did not learn from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facedis.metrics.probes.linear import ProbeData
from facedis.metrics.probes.probe_suite import fit_probes
from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_ci
from facedis.result import Estimate

#: Most people that a probe must tell apart.
MAX_IDENTITIES = 200
#: Fewest faces of a person: one to learn, one to choose settings, one to test.
MIN_FACES = 3
#: Share of each person's faces that test, and that choose settings.
HELD_OUT_FRACTION = 0.25


@dataclass(frozen=True)
class ClosedSet:
    """Faces of K people, each of whom is in all three parts.

    Attributes:
        labels: (n,) int 0..K-1 of every face of the table, -1 where it takes no part.
        train, val, test: Rising indices of faces.
        cross_expression_fraction: Share of the test faces that show an expression of which P has
            no face of the same person.
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


def closed_set(labels: np.ndarray, identities: np.ndarray, seed: int, most: int = MAX_IDENTITIES) -> ClosedSet | None:
    """Divides each person's faces, whole expressions at a time.

    A probe could otherwise name the person by a face that differs from one it learned by nothing.
    Where a person shows a single expression, their faces are divided one by one.

    Args:
        labels: (n,) int expressions.
        identities: (n,) str, "" where unknown.
        seed: Of the choice of people and of their expressions.
        most: Most people; those above are left out at random.

    Returns:
        None where fewer than two people have three faces.
    """
    generator = np.random.default_rng(seed)
    names, counts = np.unique(identities[identities != ""], return_counts=True)
    chosen = np.sort(generator.permutation(names[counts >= MIN_FACES])[:most])
    if len(chosen) < 2:
        return None
    people = np.full(len(labels), -1)
    parts = np.full(len(labels), -1)
    for person, name in enumerate(chosen):
        rows = np.flatnonzero(identities == name)
        people[rows] = person
        parts[rows] = _divided(labels[rows], generator)
    fit, selection, test = (np.flatnonzero(parts == part) for part in range(3))
    known = set(zip(people[fit], labels[fit], strict=True))
    across = np.mean([pair not in known for pair in zip(people[test], labels[test], strict=True)])
    return ClosedSet(people, fit, selection, test, float(across))


def _divided(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(n,) 0 fit, 1 selection, 2 test, for the faces of one person."""
    expressions, groups = np.unique(labels, return_inverse=True)
    if len(expressions) < 3:  # too few to give each part one of its own: divide the faces of each
        return _shared(groups, generator)
    order = generator.permutation(len(expressions))
    held = max(1, round(HELD_OUT_FRACTION * len(expressions)))
    part = np.zeros(len(expressions), int)
    part[order[:held]] = 2
    part[order[held : 2 * held]] = 1
    return part[groups]


def _shared(groups: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Two expressions: one tests, the other is divided; one: its faces are divided."""
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
    held = max(1, round(HELD_OUT_FRACTION * n))
    part[order[:held]], part[order[held : 2 * held]] = 2, 1
    return part


@dataclass(frozen=True)
class IdentityProbeResult:
    """What one probe says about who it is.

    Attributes:
        balanced_accuracy: Mean recall over the people, chance 1/K.
        val_score: The same on V.
        hyperparameters: What V chose.
        recalls: (K,) of each person.
    """

    balanced_accuracy: Estimate
    val_score: float
    hyperparameters: dict[str, float]
    recalls: np.ndarray


def run_identity_probes(
    codes: np.ndarray, known: ClosedSet, kinds: Sequence[str], plan: Bootstrap
) -> dict[str, IdentityProbeResult]:
    """Fresh probes of the identity on one code; arguments as of `fit_probes`.

    Args:
        codes: (n, D) float, of the faces that `known` divides.
        known: Who is in which part.
        kinds: Kinds of probes.
        plan: Of the intervals; whole people are drawn.
    """
    parts = [ProbeData(codes[rows], known.labels[rows]) for rows in (known.train, known.val, known.test)]
    probes = fit_probes(*parts[:2], classes=known.num_identities, kinds=kinds, seed=plan.seed)
    found = {}
    for kind, probe in probes.items():
        hits = probe.logits(parts[2].codes).argmax(axis=1) == parts[2].labels
        recalls = np.bincount(parts[2].labels, hits, known.num_identities) / np.bincount(
            parts[2].labels, minlength=known.num_identities
        )
        found[kind] = IdentityProbeResult(
            _mean_recall(recalls, len(hits), plan), probe.val_score, dict(probe.hyperparameters), recalls
        )
    return found


def _mean_recall(recalls: np.ndarray, n: int, plan: Bootstrap) -> Estimate:
    terms = np.stack([recalls, np.ones_like(recalls)], axis=1)
    people = np.arange(len(recalls)).astype(str)
    figure = bootstrap_ci(terms, lambda sums: sums[..., 0] / sums[..., 1], people, plan, 1 / len(recalls))
    return Estimate(figure.value, figure.low, figure.high, figure.chance, n)


def best_identity_probe(readings: dict[str, IdentityProbeResult]) -> IdentityProbeResult | None:
    """The reading that V puts first; None of none."""
    return max(readings.values(), key=lambda reading: reading.val_score, default=None)


def normalised_identity(
    own: IdentityProbeResult, trunk: IdentityProbeResult, n: int, plan: Bootstrap
) -> Estimate | None:
    """What `own` reads above chance as a share of what `trunk` does, people resampled together.

    Returns:
        None where the trunk itself reads no better than chance.
    """
    chance = 1 / len(own.recalls)
    if (trunk.balanced_accuracy.low or 0.0) <= chance:
        return None
    terms = np.stack([own.recalls - chance, trunk.recalls - chance], axis=1)
    people = np.arange(len(own.recalls)).astype(str)
    figure = bootstrap_ci(terms, lambda sums: sums[..., 0] / sums[..., 1], people, plan, 0.0)
    return Estimate(figure.value, figure.low, figure.high, 0.0, n)
