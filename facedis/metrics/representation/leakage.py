"""How much of the expression is left in a code that should not tell it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from facedis.metrics.classification.accuracy import (
    balanced_accuracy,
    balanced_accuracy_ci,
    chance_level,
    confusion_matrix,
    confusion_terms,
)
from facedis.metrics.codes import CodeTable
from facedis.metrics.probes.linear import ProbeData
from facedis.metrics.probes.probe_suite import FittedProbe, fit_probes
from facedis.metrics.representation.information import (
    balanced_cross_entropy,
    fit_balanced_temperature,
    usable_information,
)
from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_ci, mean_ci
from facedis.result import Estimate

_SMALLEST = np.finfo(np.float32).tiny

#: P, V and Q.
ProbeTables = tuple[CodeTable, CodeTable, CodeTable]


@dataclass(frozen=True)
class ProbeResult:
    """What one classifier read from one code on Q.

    Attributes:
        kind: Its name.
        logits: (n, K) its answers.
        balanced_accuracy: Its balanced accuracy.
        val_score: The same on V, by which it is compared with others.
        temperature: What its logits are divided by for confidence to be right on V.
        val_cross_entropy: Balanced cross-entropy on V in bits after that.
        hyperparameters: What V chose; empty for the adversary.
    """

    kind: str
    logits: np.ndarray
    balanced_accuracy: Estimate
    val_score: float
    temperature: float
    val_cross_entropy: float
    hyperparameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def predictions(self) -> np.ndarray:
        """(n,) int, the expression it names for each face."""
        return self.logits.argmax(axis=1)


def run_probes(
    codes: Sequence[np.ndarray], parts: ProbeTables, kinds: Sequence[str], plan: Bootstrap
) -> dict[str, ProbeResult]:
    """Fresh probes of the expression on one code.

    Args:
        codes: (n, D) of P, V and Q.
        parts: P, V and Q.
        kinds: Which probes, out of `facedis.metrics.probes.probe_suite.ALL`.
        plan: Of the intervals; its seed is the probes' too.

    Returns:
        One for each kind that could be fitted; none where P shows a single expression or V is empty.
    """
    fit, selection = (ProbeData(code, part.labels) for code, part in zip(codes[:2], parts[:2], strict=True))
    probes = fit_probes(fit, selection, len(parts[2].classes), kinds, plan.seed)
    return {kind: _reading(kind, probe, codes, parts, plan) for kind, probe in probes.items()}


def _reading(
    kind: str, probe: FittedProbe, codes: Sequence[np.ndarray], parts: ProbeTables, plan: Bootstrap
) -> ProbeResult:
    chosen, asked = (probe.logits(code) for code in codes[1:])
    return _judged(kind, chosen, asked, parts, plan, probe.hyperparameters)


def _judged(
    kind: str,
    chosen: np.ndarray,
    asked: np.ndarray,
    parts: ProbeTables,
    plan: Bootstrap,
    hyperparameters: Mapping[str, float] | None = None,
) -> ProbeResult:
    """A reading from the logits on V and on Q."""
    labels = parts[1].labels
    score = float(balanced_accuracy(confusion_matrix(labels, chosen.argmax(axis=1), len(parts[1].classes))))
    temperature = fit_balanced_temperature(chosen, labels)
    figure = balanced_accuracy_ci(asked.argmax(axis=1), parts[2], plan)
    return ProbeResult(
        kind,
        asked,
        figure,
        score,
        temperature,
        balanced_cross_entropy(chosen, labels, temperature),
        dict(hyperparameters or {}),
    )


def adversary_result(parts: ProbeTables, plan: Bootstrap) -> ProbeResult | None:
    """The adversary that was trained along; None where there is none."""
    selection, test = parts[1:]
    if test.adversary is None:
        return None
    asked = np.log(np.maximum(test.adversary, _SMALLEST))
    if len(selection) == 0:  # nothing to compare it by, and nothing to compare it with
        return ProbeResult("adversary", asked, balanced_accuracy_ci(asked.argmax(axis=1), test, plan), 0.0, 1.0, np.inf)
    return _judged("adversary", np.log(np.maximum(selection.adversary, _SMALLEST)), asked, parts, plan)


def adversary_diagnostics(probabilities: np.ndarray, identities: np.ndarray, plan: Bootstrap) -> dict[str, Estimate]:
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
        "majority_share": bootstrap_ci(
            answers, lambda sums: sums.max(axis=-1) / sums.sum(axis=-1), identities, plan, 1 / classes
        ),
        "entropy": mean_ci(entropy, identities, plan),
        "confusion_excess": mean_ci(-logs.mean(axis=1) - np.log(classes), identities, plan),
    }


def best_probe(found: Iterable[ProbeResult | None]) -> ProbeResult | None:
    """The reading with the highest balanced accuracy on V, with its own interval on Q; None of none.

    Not the highest on Q: the best of many looks better than it is on the faces that chose it.
    """
    return max((reading for reading in found if reading is not None), key=lambda one: one.val_score, default=None)


def best_usable_information(
    found: Iterable[ProbeResult | None], test: CodeTable, plan: Bootstrap
) -> dict[str, Estimate] | None:
    """Usable information in `bits` and as a `share` of the entropy, of the reading that costs least on V."""
    known = [reading for reading in found if reading is not None]
    if not known:
        return None
    best = min(known, key=lambda reading: reading.val_cross_entropy)
    return usable_information(best.logits, test.labels, test.identities, best.temperature, plan)


def normalised_leakage(rest: ProbeResult, trunk: ProbeResult, test: CodeTable, plan: Bootstrap) -> Estimate | None:
    """What `rest` reads above chance as a share of what `trunk` reads above chance, on the same faces.

    0 where the expression is erased, 1 where the code tells as much as the trunk it comes from;
    negative below chance, above 1 where it tells more. Both are resampled together.

    Returns:
        None where the trunk itself reads no better than chance: there is nothing to compare with.
    """
    chance, cells = chance_level(test.labels), len(test.classes) ** 2
    if (trunk.balanced_accuracy.low or 0.0) <= chance:
        return None

    def ratio(sums: np.ndarray) -> np.ndarray:
        shape = (*sums.shape[:-1], len(test.classes), len(test.classes))
        own, reference = (balanced_accuracy(half.reshape(shape)) for half in (sums[..., :cells], sums[..., cells:]))
        return (own - chance) / (reference - chance)

    terms = [confusion_terms(test.labels, reading.predictions, len(test.classes)) for reading in (rest, trunk)]
    return bootstrap_ci(np.concatenate(terms, axis=1), ratio, test.identities, plan, 0.0)
