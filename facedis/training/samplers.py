"""Samplers: which faces an epoch contains, in which order.

All are pure functions of seed and epoch, so that a run can be resumed at any step without a stored random state.
"""

import numpy as np


def balanced_order(labels: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) indices into `labels` in which all classes are equally frequent.

    A class is repeated in whole shuffled passes: no face occurs twice before all faces of its class occurred once.

    Source: [unsaid] in the paper; needed so that the accuracy of an adversary without information is 1/K and
    not the frequency of the largest class (docs/method.md).
    """
    classes = np.unique(labels)
    per_class = -(-n // len(classes))
    picks = []
    for name in classes:
        members = np.flatnonzero(labels == name)
        passes = -(-per_class // len(members))
        picks.append(np.concatenate([rng.permutation(members) for _ in range(passes)])[:per_class])
    return rng.permutation(np.concatenate(picks))[:n]


def epoch_order(labels: np.ndarray, balanced: bool, seed: int, epoch: int) -> np.ndarray:
    """(n,) indices into `labels` for one epoch of `len(labels)` faces."""
    rng = np.random.default_rng((seed, epoch))
    return balanced_order(labels, len(labels), rng) if balanced else rng.permutation(len(labels))


def grouped_order(labels: np.ndarray, groups: np.ndarray, seed: int, epoch: int, run_length: int = 0) -> np.ndarray:
    """(n,) indices for one epoch in which every batch has few groups with several expressions each.

    At least `run_length` consecutive faces are of one group, with every expression of the group once before one
    occurs twice. Where some groups are unknown, or most have one face, the order is a balanced one.

    Args:
        labels: (n,) int.
        groups: (n,) str, people or scenes; "" where unknown.
        seed: Of the order.
        epoch: Of the order.
        run_length: In faces; 0: as many as there are classes.
    """
    known = groups[groups != ""]
    if len(known) < len(groups) or len(np.unique(known)) * 2 > len(known):
        return epoch_order(labels, True, seed, epoch)
    rng = np.random.default_rng((seed, epoch, 1))
    runs: list[np.ndarray] = []
    for name in np.unique(groups):
        members = rng.permutation(np.flatnonzero(groups == name))
        repeat = np.zeros(len(members), int)  # number of earlier members with the same expression
        for label in np.unique(labels[members]):
            same = labels[members] == label
            repeat[same] = np.arange(same.sum())
        members = members[np.argsort(repeat, kind="stable")]
        pieces = len(members) // run_length if run_length else round(len(members) / len(np.unique(labels)))
        runs += np.array_split(members, max(1, pieces))
    return np.concatenate([runs[place] for place in rng.permutation(len(runs))])


def process_batches(order: np.ndarray, batch: int, rank: int, world: int) -> list[np.ndarray]:
    """The batches of process `rank` of `world`: equally many for every process, all of them full.

    An epoch with fewer faces than one batch is one small batch.
    """
    own = order[: len(order) // world * world][rank::world]
    batch = min(batch, len(own))
    return [own[start : start + batch] for start in range(0, len(own) - batch + 1, batch)]


def class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """(K,) inverse class frequency, with mean 1 over the faces; 0 for classes that do not occur."""
    counts = np.bincount(labels, minlength=classes).astype(float)
    present = counts > 0
    weights = np.zeros(classes)
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights
