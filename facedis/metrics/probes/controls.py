"""What a probe reads where there is nothing to read, or something that it could only learn by heart."""

import numpy as np

from facedis.metrics.classification.accuracy import balanced_accuracy, chance_level, confusion_matrix
from facedis.metrics.probes.linear import ProbeData, linear_probe
from facedis.metrics.probes.whitening import fit_pca
from facedis.metrics.statistics.intervals import Bootstrap, group_ids
from facedis.result import Estimate

#: Shuffles of the permutation null.
SHUFFLES = 100
#: Weight of the penalty of the least-squares probe, for whitened codes.
RIDGE = 1e-2


def permutation_null(fit: ProbeData, test: ProbeData, classes: int, plan: Bootstrap) -> Estimate | None:
    """Balanced accuracy on Q after the labels of P and of Q have been shuffled: the band in which chance lies.

    A hundred shuffles; the value is their mean, low and high hold 95 % of them. The probe is least
    squares on whitened codes, which one solution fits to all shuffles at once. Were Q's labels left
    alone, faces in clear groups would be right or wrong a group at a time, and the band too wide.

    Returns:
        None where P is empty or has a single class, or Q is empty.

    Source: Ojala & Garriga, Permutation tests for studying classifier performance, JMLR 11, 2010.
    """
    if len(np.unique(fit.labels)) < 2 or len(test.labels) == 0:
        return None
    basis = fit_pca(fit.codes)
    known, asked = basis.whiten(fit.codes).astype(np.float64), basis.whiten(test.codes).astype(np.float64)
    generator = np.random.default_rng(plan.seed)
    counts = np.maximum(np.bincount(fit.labels, minlength=classes), 1)
    solver = np.linalg.solve(known.T @ known / len(known) + RIDGE * np.eye(known.shape[1]), known.T / len(known))
    scores = []
    for _ in range(SHUFFLES):
        wanted = np.eye(classes)[generator.permutation(fit.labels)] / counts
        answers = (asked @ (solver @ (wanted - wanted.mean(axis=0)))).argmax(axis=1)
        truth = generator.permutation(test.labels)
        scores.append(float(balanced_accuracy(confusion_matrix(truth, answers, classes))))
    low, high = np.quantile(scores, (0.025, 0.975))
    return Estimate(float(np.mean(scores)), float(low), float(high), chance_level(test.labels), len(test.labels))


def control_task(fit: ProbeData, identities: np.ndarray, classes: int, seed: int) -> float | None:
    """Accuracy of a linear probe of a label that is drawn at random for each *person*.

    Such a label can be learned only by heart, person by person: half of each person's faces teach
    it, a quarter choose the penalty, the rest test it.

    Args:
        fit: P; its labels are not used.
        identities: (n,) str of P.
        classes: K.
        seed: Of the labels and of the division.

    Returns:
        Balanced accuracy in 0..1; None where no person has four faces.

    Source: Hewitt & Liang, Designing and interpreting probes with control tasks, EMNLP 2019.
    """
    people = group_ids(identities)
    generator = np.random.default_rng(seed)
    enough = np.bincount(people)[people] >= 4
    if not enough.any():
        return None
    turn = _turns(people, generator) % 4
    drawn = generator.integers(0, classes, people.max() + 1)[people]
    parts = [ProbeData(fit.codes[chosen], drawn[chosen]) for chosen in (enough & (turn < 2), enough & (turn == 2))]
    probe = linear_probe(*parts, classes=classes)
    if probe is None:
        return None
    held = enough & (turn == 3)
    return float(balanced_accuracy(confusion_matrix(drawn[held], probe.predict(fit.codes[held]), classes)))


def _turns(people: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(n,) int: 0, 1, 2, ... for the faces of each person, in random order."""
    order = generator.permutation(len(people))
    order = order[np.argsort(people[order], kind="stable")]
    starts = np.flatnonzero(np.diff(people[order], prepend=-1))
    turn = np.empty(len(people), int)
    turn[order] = np.arange(len(people)) - np.repeat(starts, np.diff(starts, append=len(people)))
    return turn
