"""Controls for probes: the permutation null and a control task with random labels per person."""

import numpy as np

from facedis.metrics.classification.accuracy import balanced_accuracy_score, chance_level
from facedis.metrics.probes.linear import ProbeData, linear_probe
from facedis.metrics.probes.whitening import fit_pca
from facedis.metrics.statistics.intervals import Bootstrap, group_ids, percentile_interval
from facedis.result import Estimate

#: Number of shuffles of the permutation null.
SHUFFLES = 100
#: Weight of the L2 penalty of its least-squares probe.
RIDGE = 1e-2


def permutation_null(train: ProbeData, test: ProbeData, num_classes: int, bootstrap: Bootstrap) -> Estimate | None:
    """Balanced accuracy on Q after the labels of P and Q are shuffled: the range of chance results.

    The value is the mean over 100 shuffles; the interval contains 95 % of them. The probe is a least-squares
    classifier on whitened codes, of which one factorisation serves all shuffles. Shuffling P's labels alone
    would make the interval too wide for clustered codes, because the predictions of a cluster agree.

    Args:
        train: P.
        test: Q.
        num_classes: K.
        bootstrap: Its seed is the seed of the shuffles.

    Returns:
        None where P is empty or has a single class, or Q is empty.

    Source: Ojala & Garriga, Permutation tests for studying classifier performance, JMLR 11, 2010.
    """
    if len(np.unique(train.labels)) < 2 or len(test.labels) == 0:
        return None
    pca = fit_pca(train.codes)
    x, x_test = (pca.transform(part.codes, whiten=True).astype(np.float64) for part in (train, test))
    generator = np.random.default_rng(bootstrap.seed)
    counts = np.maximum(np.bincount(train.labels, minlength=num_classes), 1)
    solver = np.linalg.solve(x.T @ x / len(x) + RIDGE * np.eye(x.shape[1]), x.T / len(x))
    scores = []
    for _ in range(SHUFFLES):
        targets = np.eye(num_classes)[generator.permutation(train.labels)] / counts
        predictions = (x_test @ (solver @ (targets - targets.mean(axis=0)))).argmax(axis=1)
        scores.append(balanced_accuracy_score(generator.permutation(test.labels), predictions, num_classes))
    interval = percentile_interval(np.array(scores))
    return Estimate(float(np.mean(scores)), *interval, chance_level(test.labels), len(test.labels))


def control_task(train: ProbeData, identities: np.ndarray, num_classes: int, seed: int) -> float | None:
    """Accuracy of a linear probe for labels that are drawn at random for each *person*.

    Such labels can only be memorised person by person: half of each person's faces are used for fitting, a
    quarter for choosing the penalty, and the rest for testing.

    Args:
        train: P; its labels are not used.
        identities: (n,) str of P.
        num_classes: K.
        seed: Seed of the labels and of the division.

    Returns:
        Balanced accuracy in 0..1; None where no person has four faces.

    Source: Hewitt & Liang, Designing and interpreting probes with control tasks, EMNLP 2019.
    """
    people = group_ids(identities)
    generator = np.random.default_rng(seed)
    enough = np.bincount(people)[people] >= 4
    if not enough.any():
        return None
    quarter = _rank_within_person(people, generator) % 4
    labels = generator.integers(0, num_classes, people.max() + 1)[people]
    fit, val, test = (
        ProbeData(train.codes[rows], labels[rows])
        for rows in (enough & (quarter < 2), enough & (quarter == 2), enough & (quarter == 3))
    )
    probe = linear_probe(fit, val, num_classes)
    return None if probe is None else balanced_accuracy_score(test.labels, probe.predict(test.codes), num_classes)


def _rank_within_person(people: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(n,) int: 0, 1, 2, ... for the faces of each person, in random order."""
    order = generator.permutation(len(people))
    order = order[np.argsort(people[order], kind="stable")]
    starts = np.flatnonzero(np.diff(people[order], prepend=-1))
    rank = np.empty(len(people), int)
    rank[order] = np.arange(len(people)) - np.repeat(starts, np.diff(starts, append=len(people)))
    return rank
