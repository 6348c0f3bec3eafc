"""Leakage of expression and identity from each code, measured by fresh probes."""

from collections.abc import Mapping, Sequence
from typing import Any

from facedis.metrics.codes import CodeTable
from facedis.metrics.probes.controls import control_task, permutation_null
from facedis.metrics.probes.linear import ProbeData
from facedis.metrics.probes.probe_suite import LINEAR_KINDS, PROBE_KINDS
from facedis.metrics.representation import leakage
from facedis.metrics.representation.identity import (
    ClosedSet,
    IdentityProbeResult,
    closed_set,
    normalised_identity,
    run_identity_probes,
)
from facedis.metrics.representation.leakage import ProbeResult, ProbeTables
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.result import Estimate
from facedis.tasks.evaluation.compared_codes import ComparedCode

NO_REST = "the model is a baseline without a rest code"
NO_ADVERSARY = "a packed model has no adversary; see the fresh probes"
NO_PROBE = "no probe could be trained: the training part has fewer than two expressions or too few people"
NO_TRUNK_EXPRESSION = "undefined because the trunk features predict the expression no better than chance"
NO_TRUNK_IDENTITY = "undefined because the trunk features predict the identity no better than chance"
NO_CLOSED_SET = "fewer than two people have three faces each, so no identity probe can be trained"
NO_CONTROL = "no person in the training part has four faces, so the control task cannot be trained"

#: Kinds of probes by the setting `probes`.
KINDS = {"all": PROBE_KINDS, "linear": LINEAR_KINDS}

Reasons = dict[str, str]


def expression_leakage(
    codes: Mapping[str, ComparedCode], parts: ProbeTables, kinds: Sequence[str], plan: Bootstrap, reasons: Reasons
) -> dict[str, Any]:
    """Expression leakage of each code.

    Args:
        codes: The compared codes.
        parts: Tables of the probe splits.
        kinds: Kinds of probes; only the linear ones are used for the random branch.
        plan: Bootstrap of the intervals.
        reasons: Receives the reason for each value that is None.

    Returns:
        `expression_in_<code>` for each code, `adversary` diagnostics, and the chosen `settings` of the probes.
    """
    probes = {
        name: leakage.run_probes(code.parts, parts, LINEAR_KINDS if name == "random" else kinds, plan)
        for name, code in codes.items()
    }
    adversary = leakage.adversary_result(parts, plan)
    trunk = leakage.best_probe(probes["trunk"].values())
    # The adversary was trained on train faces, so validation on them cannot compare it with fresh probes.
    comparable = "train" not in parts[1].splits
    found: dict[str, Any] = {}
    for name, results in probes.items():
        extra = {"adversary": adversary} if name == "rest" and comparable else {}
        found[f"expression_in_{name}"] = _summary(name, {**extra, **results}, kinds, trunk, parts[2], plan, reasons)
    if "rest" in codes:
        found["expression_in_rest"] = {"adversary": _accuracy(adversary)} | found["expression_in_rest"]
        found["expression_in_rest"] |= _controls(codes["rest"], probes["rest"], parts, plan, reasons)
        outputs = parts[2].adversary
        found["adversary"] = (
            None if outputs is None else leakage.adversary_diagnostics(outputs, parts[2].identities, plan)
        )
        if outputs is None:
            reasons["leakage.adversary"] = NO_ADVERSARY
    else:
        reasons["leakage.expression_in_rest"] = reasons["leakage.adversary"] = NO_REST
        found |= {"expression_in_rest": None, "adversary": None}
    found["settings"] = {
        name: {kind: result.hyperparameters for kind, result in results.items()} for name, results in probes.items()
    }
    return found


def _summary(
    name: str,
    results: Mapping[str, ProbeResult | None],
    kinds: Sequence[str],
    trunk: ProbeResult | None,
    test: CodeTable,
    plan: Bootstrap,
    reasons: Reasons,
) -> dict[str, Any]:
    """Accuracy of each probe and of the strongest one, its kind, its usable information, its ratio to the trunk."""
    key = f"leakage.expression_in_{name}"
    trained = [result for result in results.values() if result is not None]
    best = leakage.best_probe(trained)
    unknown: dict[str, Estimate | None] = {"bits": None, "share": None}
    bits = leakage.best_usable_information(trained, test, plan) or unknown
    ratio = leakage.normalised_leakage(best, trunk, test, plan) if best is not None and trunk is not None else None
    if not any(kind in results for kind in kinds):
        reasons[f"{key}.linear"] = NO_PROBE
    if ratio is None and name != "trunk":
        reasons[f"{key}.normalised"] = NO_PROBE if trunk is None else NO_TRUNK_EXPRESSION
    order = (*(kind for kind in results if kind not in kinds), *kinds)
    accuracies = {kind: _accuracy(results.get(kind)) for kind in order if name != "random" or kind in LINEAR_KINDS}
    normalised = {} if name == "trunk" else {"normalised": ratio}
    kind = best.kind if best else None
    return {**accuracies, "strongest": _accuracy(best), "kind": kind, **normalised, **bits}


def _controls(
    code: ComparedCode, results: Mapping[str, ProbeResult], parts: ProbeTables, plan: Bootstrap, reasons: Reasons
) -> dict[str, Estimate | None]:
    """The permutation null, and selectivity: accuracy minus the accuracy on a control task of random labels."""
    train = ProbeData(code.probe_train, parts[0].labels)
    null = permutation_null(train, ProbeData(code.probe_test, parts[2].labels), len(parts[2].classes), plan)
    if null is None or "linear" not in results:
        return {"null": null, "selectivity": None}
    control = control_task(train, parts[0].identities, len(parts[2].classes), plan.seed)
    if control is None:
        reasons["leakage.expression_in_rest.selectivity"] = NO_CONTROL
        return {"null": null, "selectivity": None}
    accuracy = results["linear"].balanced_accuracy
    low, high = (None if bound is None else bound - control for bound in (accuracy.low, accuracy.high))
    return {"null": null, "selectivity": Estimate(accuracy.value - control, low, high, None, accuracy.n)}


def identity_leakage(
    codes: Mapping[str, ComparedCode], evaluated: CodeTable, kinds: Sequence[str], plan: Bootstrap, reasons: Reasons
) -> dict[str, Any]:
    """Identity leakage of each code: closed-set identification across expressions.

    Args:
        codes: The compared codes.
        evaluated: Table of all evaluated faces.
        kinds: Kinds of probes.
        plan: Bootstrap of the intervals.
        reasons: Receives the reason for each value that is None.

    Returns:
        `identity_in_<code>` for each code, and the counts of the closed set under `identity`.
    """
    names = [name for name in codes if name != "random"]
    known = closed_set(evaluated.labels, evaluated.identities, plan.seed)
    if known is None:
        reasons |= {f"leakage.identity_in_{name}": NO_CLOSED_SET for name in names}
        return {f"identity_in_{name}": None for name in names}
    probes = {name: run_identity_probes(codes[name].evaluated, known, kinds, plan) for name in names}
    trunk = leakage.best_probe(probes["trunk"].values())
    found: dict[str, Any] = {}
    for name, results in probes.items():
        best = leakage.best_probe(results.values())
        ratio = normalised_identity(best, trunk, len(known.test), plan) if best and trunk and name != "trunk" else None
        if ratio is None and name != "trunk":
            reasons[f"leakage.identity_in_{name}.normalised"] = NO_TRUNK_IDENTITY
        found[f"identity_in_{name}"] = _identity_summary(results, best, ratio, name)
    return {**found, "identity": _describe(known)}


def _identity_summary(
    results: Mapping[str, IdentityProbeResult], best: IdentityProbeResult | None, ratio: Estimate | None, name: str
) -> dict[str, Any]:
    best_kind = next((kind for kind, result in results.items() if result is best), None)
    normalised = {} if name == "trunk" else {"normalised": ratio}
    accuracies = {kind: result.balanced_accuracy for kind, result in results.items()}
    return {**accuracies, "strongest": best.balanced_accuracy if best else None, "kind": best_kind, **normalised}


def _describe(known: ClosedSet) -> dict[str, float]:
    return {
        "people": known.num_identities,
        "faces": len(known.train) + len(known.val) + len(known.test),
        "across": known.cross_expression_fraction,
    }


def _accuracy(result: ProbeResult | None) -> Estimate | None:
    return None if result is None else result.balanced_accuracy
