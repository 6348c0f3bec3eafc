"""Samplers: the order of the faces in an epoch.

All are pure functions of seed and epoch, so that a run can be resumed at any step without a stored random state.
"""

import numpy as np


def balanced_order(labels: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) indices into `labels` in which all classes are equally frequent.

    Smaller classes are repeated: each repetition is a new permutation of all faces of the class.

    Deviation: the paper does not mention balancing. Without it, the accuracy of an adversary without information
    is the frequency of the largest class instead of 1/K (docs/method.md).
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
    """(n,) indices for one epoch in which each batch has few groups with several expressions each.

    Each group is split into runs of at least `run_length` consecutive faces. Within a group, all its expressions
    occur once before any occurs twice. The order is a class-balanced one if some groups are unknown, or if there
    are fewer than two faces per group on average.

    Args:
        labels: (n,) int.
        groups: (n,) str, identities or scenes; "" where unknown.
        seed: Random seed.
        epoch: Number of the epoch, from 0.
        run_length: Minimum length of a run in faces; 0: about the number of classes.
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
    """The batches of process `rank` of `world`: the same number for every process, all of them full.

    If there are fewer faces than `batch`, the epoch has one smaller batch.
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
