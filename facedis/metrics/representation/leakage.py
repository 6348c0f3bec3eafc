"""Leakage: how accurately probes and the adversary predict the expression from a code."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from facedis.metrics.classification.accuracy import (
    balanced_accuracy,
    balanced_accuracy_ci,
    balanced_accuracy_score,
    chance_level,
    confusion_terms,
)
from facedis.metrics.codes import CodeTable
from facedis.metrics.probes.linear import ProbeData
from facedis.metrics.probes.probe_suite import fit_probes
from facedis.metrics.representation.information import (
    balanced_cross_entropy,
    fit_balanced_temperature,
    usable_information,
)
from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_ci, mean_ci
from facedis.result import Estimate

_SMALLEST = np.finfo(np.float32).tiny

#: The code tables of P, V and Q.
ProbeTables = tuple[CodeTable, CodeTable, CodeTable]


@dataclass(frozen=True)
class ProbeResult:
    """Result of one classifier of the expression on Q.

    Attributes:
        kind: Kind of the probe, or "adversary".
        logits: (n, K).
        balanced_accuracy: On Q.
        val_score: Balanced accuracy on V, by which results are compared.
        temperature: From `fit_balanced_temperature` on V.
        val_cross_entropy: Balanced cross-entropy on V in bits, at that temperature.
        hyperparameters: The values chosen on V; empty for the adversary.
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
        """(n,) int predicted expression of each face."""
        return self.logits.argmax(axis=1)


class _Scored(Protocol):
    @property
    def val_score(self) -> float: ...


_Result = TypeVar("_Result", bound=_Scored)


def run_probes(
    codes: Sequence[np.ndarray], tables: ProbeTables, kinds: Sequence[str], bootstrap: Bootstrap
) -> dict[str, ProbeResult]:
    """Fit probes for the expression on one code and test them.

    Args:
        codes: (n, D) of P, V and Q.
        tables: Tables of P, V and Q.
        kinds: Kinds of probes, out of `facedis.metrics.probes.probe_suite.PROBE_KINDS`.
        bootstrap: Number of resamples and seed; the seed is also that of the probes.

    Returns:
        The results by kind; empty where P has a single expression or V is empty.
    """
    train, val = (ProbeData(code, table.labels) for code, table in zip(codes[:2], tables[:2], strict=True))
    probes = fit_probes(train, val, len(tables[2].classes), kinds, bootstrap.seed)
    return {
        kind: _result(kind, probe.logits(codes[1]), probe.logits(codes[2]), tables, bootstrap, probe.hyperparameters)
        for kind, probe in probes.items()
    }


def _result(
    kind: str,
    val_logits: np.ndarray,
    test_logits: np.ndarray,
    tables: ProbeTables,
    bootstrap: Bootstrap,
    hyperparameters: Mapping[str, float],
) -> ProbeResult:
    labels = tables[1].labels
    temperature = fit_balanced_temperature(val_logits, labels)
    return ProbeResult(
        kind,
        test_logits,
        balanced_accuracy_ci(test_logits.argmax(axis=1), tables[2], bootstrap),
        balanced_accuracy_score(labels, val_logits.argmax(axis=1), len(tables[1].classes)),
        temperature,
        balanced_cross_entropy(val_logits, labels, temperature),
        dict(hyperparameters),
    )


def adversary_result(tables: ProbeTables, bootstrap: Bootstrap) -> ProbeResult | None:
    """Result of the adversary of the training; None where there is none."""
    val, test = tables[1:]
    if val.adversary is None or test.adversary is None:
        return None
    val_logits, test_logits = (np.log(np.maximum(part, _SMALLEST)) for part in (val.adversary, test.adversary))
    if len(val) == 0:  # no probe can be fitted either, so that no comparison needs the score on V
        accuracy = balanced_accuracy_ci(test_logits.argmax(axis=1), test, bootstrap)
        return ProbeResult("adversary", test_logits, accuracy, 0.0, 1.0, np.inf)
    return _result("adversary", val_logits, test_logits, tables, bootstrap, {})


def adversary_diagnostics(
    probabilities: np.ndarray, identities: np.ndarray, bootstrap: Bootstrap
) -> dict[str, Estimate]:
    """Whether a low accuracy of the adversary comes from a failed adversary rather than from a clean code.

    Args:
        probabilities: (n, K) of the adversary.
        identities: (n,) str, "" where unknown.
        bootstrap: Number of resamples and seed.

    Returns:
        `majority_share`: share of its most frequent prediction, 1 where all predictions are the same;
        `entropy`: mean entropy divided by log K, 1 where all predictions are uniform;
        `confusion_excess`: confusion loss minus log K in nats, 0 where all predictions are uniform.
    """
    num_classes = probabilities.shape[1]
    logs = np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST))
    entropy = -(probabilities * logs).sum(axis=1) / np.log(num_classes)
    predictions = np.eye(num_classes)[probabilities.argmax(axis=1)]

    def largest_share(sums: np.ndarray) -> np.ndarray:
        return sums.max(axis=-1) / sums.sum(axis=-1)

    return {
        "majority_share": bootstrap_ci(predictions, largest_share, identities, bootstrap, 1 / num_classes),
        "entropy": mean_ci(entropy, identities, bootstrap),
        "confusion_excess": mean_ci(-logs.mean(axis=1) - np.log(num_classes), identities, bootstrap),
    }


def best_probe(results: Iterable[_Result | None]) -> _Result | None:
    """The result with the highest balanced accuracy on V; None where there is none.

    A choice by the accuracy on Q would be biased: the maximum of several estimates is too high.
    """
    return max((one for one in results if one is not None), key=lambda one: one.val_score, default=None)


def best_usable_information(
    results: Iterable[ProbeResult | None], test: CodeTable, bootstrap: Bootstrap
) -> dict[str, Estimate] | None:
    """Usable information, see `usable_information`, of the result with the lowest cross-entropy on V."""
    known = [one for one in results if one is not None]
    if not known:
        return None
    best = min(known, key=lambda one: one.val_cross_entropy)
    return usable_information(best.logits, test.labels, test.identities, best.temperature, bootstrap)


def normalised_leakage(rest: ProbeResult, trunk: ProbeResult, test: CodeTable, bootstrap: Bootstrap) -> Estimate | None:
    """The accuracy of `rest` above chance divided by that of `trunk`, on the same faces, resampled jointly.

    0 where the expression is erased, 1 where the code leaks as much as the trunk features; negative below
    chance, and above 1 where it leaks more.

    Returns:
        None where the trunk itself is not above chance.
    """
    num_classes = len(test.classes)
    chance = chance_level(test.labels)
    if (trunk.balanced_accuracy.low or 0.0) <= chance:
        return None

    def share(sums: np.ndarray) -> np.ndarray:
        matrices = sums.reshape(*sums.shape[:-1], 2, num_classes, num_classes)
        own, reference = balanced_accuracy(matrices[..., 0, :, :]), balanced_accuracy(matrices[..., 1, :, :])
        return (own - chance) / (reference - chance)

    terms = [confusion_terms(test.labels, one.predictions, num_classes) for one in (rest, trunk)]
    return bootstrap_ci(np.concatenate(terms, axis=1), share, test.identities, bootstrap, 0.0)
