"""How much of the expression is left in a code that should not tell it."""

from dataclasses import dataclass

import numpy as np

from facedis.measures.codes import CodeTable
from facedis.measures.intervals import Bootstrap, bootstrap, mean
from facedis.measures.probes import Part, linear_probe
from facedis.measures.task import balanced_accuracy, balanced_figure, chance_level, confusion_terms
from facedis.result import Figure

_SMALLEST = np.finfo(np.float32).tiny


@dataclass(frozen=True)
class Reading:
    """What one classifier read from one code on Q.

    Attributes:
        predictions: (n,) int, the expression it names for each face.
        figure: Its balanced accuracy.
        l2: The penalty that V chose; None for the adversary.
    """

    predictions: np.ndarray
    figure: Figure
    l2: float | None = None


def probe_reading(code: str, parts: tuple[CodeTable, CodeTable, CodeTable], plan: Bootstrap) -> Reading | None:
    """A fresh linear probe of the expression on one code of P, V and Q.

    Args:
        code: "rest", "expression" or "trunk".
        parts: P, V and Q.
        plan: Of the interval.

    Returns:
        None where P cannot train one.
    """
    fit, selection, test = parts
    chosen = (Part(getattr(part, code), part.labels) for part in (fit, selection))
    probe = linear_probe(*chosen, classes=len(test.classes))
    if probe is None:
        return None
    predictions = probe.predict(getattr(test, code))
    return Reading(predictions, balanced_figure(predictions, test, plan), probe.l2)


def adversary_reading(test: CodeTable, plan: Bootstrap) -> Reading | None:
    """The adversary that was trained along; None where there is none."""
    if test.adversary is None:
        return None
    predictions = test.adversary.argmax(axis=1)
    return Reading(predictions, balanced_figure(predictions, test, plan))


def adversary_state(probabilities: np.ndarray, identities: np.ndarray, plan: Bootstrap) -> dict[str, Figure]:
    """Whether a low accuracy of the adversary means that there is nothing to read.

    Args:
        probabilities: (n, K) of the adversary.
        identities: (n,) str.
        plan: Of the intervals.

    Returns:
        `majority_share`: share of the answer it gives most often, 1 where it always says the same;
        `entropy`: mean entropy over log K, 1 where it is wholly undecided;
        `confusion_excess`: confusion loss minus log K in nats, 0 where it is fooled completely.
    """
    classes = probabilities.shape[1]
    logs = np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST))
    entropy = -(probabilities * logs).sum(axis=1) / np.log(classes)
    answers = np.eye(classes)[probabilities.argmax(axis=1)]
    return {
        "majority_share": bootstrap(
            answers, lambda sums: sums.max(axis=-1) / sums.sum(axis=-1), identities, plan, 1 / classes
        ),
        "entropy": mean(entropy, identities, plan),
        "confusion_excess": mean(-logs.mean(axis=1) - np.log(classes), identities, plan),
    }


def strongest(readings: list[Reading | None]) -> Reading | None:
    """The reading with the highest balanced accuracy, with that reading's own interval; None of none."""
    known = [reading for reading in readings if reading is not None]
    return max(known, key=lambda reading: reading.figure.value, default=None)


def normalised(rest: Reading, trunk: Reading, test: CodeTable, plan: Bootstrap) -> Figure | None:
    """What `rest` reads above chance as a share of what `trunk` reads above chance, on the same faces.

    0 where the expression is erased, 1 where the code tells as much as the trunk it comes from;
    negative below chance, above 1 where it tells more. Both are resampled together.

    Returns:
        None where the trunk itself reads no better than chance: there is nothing to compare with.
    """
    chance, cells = chance_level(test.labels), len(test.classes) ** 2
    if (trunk.figure.low or 0.0) <= chance:
        return None

    def ratio(sums: np.ndarray) -> np.ndarray:
        shape = (*sums.shape[:-1], len(test.classes), len(test.classes))
        own, reference = (balanced_accuracy(half.reshape(shape)) for half in (sums[..., :cells], sums[..., cells:]))
        return (own - chance) / (reference - chance)

    terms = [confusion_terms(test.labels, reading.predictions, len(test.classes)) for reading in (rest, trunk)]
    return bootstrap(np.concatenate(terms, axis=1), ratio, test.identities, plan, 0.0)
