"""Which faces an epoch sees, in which order: a pure function of seed and epoch, so that a run can
be resumed at any step without keeping a random state."""

import numpy as np


def balanced_order(labels: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) positions into `labels` in which every class that occurs is equally frequent.

    A class is repeated in whole shuffled passes, so that none of its faces comes twice before all
    have come once.

    Source: [unsaid] in the paper; needed so that an adversary without information answers 1/K and
    not the class prior (docs/method.md).
    """
    classes = np.unique(labels)
    share = -(-n // len(classes))
    picks = []
    for name in classes:
        members = np.flatnonzero(labels == name)
        passes = -(-share // len(members))
        picks.append(np.concatenate([rng.permutation(members) for _ in range(passes)])[:share])
    return rng.permutation(np.concatenate(picks))[:n]


def epoch_order(labels: np.ndarray, balanced: bool, seed: int, epoch: int) -> np.ndarray:
    """(n,) positions into `labels` for one epoch of `len(labels)` faces."""
    rng = np.random.default_rng((seed, epoch))
    return balanced_order(labels, len(labels), rng) if balanced else rng.permutation(len(labels))


def grouped_order(labels: np.ndarray, people: np.ndarray, seed: int, epoch: int, row: int = 0) -> np.ndarray:
    """(n,) positions for one epoch in which each batch has few people with several expressions each.

    Of each person at least `row` faces in a row, one of each expression that the person shows before one comes
    twice; where some are not known by name, or most come once, classes are equally frequent and that is all.

    Args:
        labels: (n,) int.
        people: (n,) str, "" where unknown.
        seed, epoch: Decide the order.
        row: Faces; 0: as many as there are classes.
    """
    named = people[people != ""]
    if len(named) < len(people) or len(np.unique(named)) * 2 > len(named):
        return epoch_order(labels, True, seed, epoch)
    rng = np.random.default_rng((seed, epoch, 1))
    runs = []
    for name in np.unique(people):
        members = rng.permutation(np.flatnonzero(people == name))
        turn = np.zeros(len(members), int)  # the how-manieth of its expression each is
        for label in np.unique(labels[members]):
            same = labels[members] == label
            turn[same] = np.arange(same.sum())
        members = members[np.argsort(turn, kind="stable")]
        pieces = len(members) // row if row else round(len(members) / len(np.unique(labels)))
        runs += np.array_split(members, max(1, pieces))
    return np.concatenate([runs[place] for place in rng.permutation(len(runs))])


def process_batches(order: np.ndarray, batch: int, rank: int, world: int) -> list[np.ndarray]:
    """The batches of process `rank` of `world`: all processes get equally many, none gets a rest.

    An epoch of fewer faces than one batch is one small batch.
    """
    mine = order[: len(order) // world * world][rank::world]
    batch = min(batch, len(mine))
    return [mine[start : start + batch] for start in range(0, len(mine) - batch + 1, batch)]


def class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """(K,) inverse frequency, mean 1 over the faces; 0 for classes that do not occur."""
    counts = np.bincount(labels, minlength=classes).astype(float)
    present = counts > 0
    weights = np.zeros(classes)
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights
