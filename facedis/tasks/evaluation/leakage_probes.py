"""What every code tells of the expression and of the person, read by fresh probes."""

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

NO_REST = "this model is a baseline: it has no rest code"
NO_ADVERSARY = "a packed model brings no adversary along: the fresh probes say what its codes tell"
NO_PROBE = "no probe could be trained: the faces left for it show fewer than two expressions or too few people"
NO_TRUNK_EXPRESSION = (
    "the trunk features tell the expression no better than chance, so there is nothing to compare with"
)
NO_TRUNK_IDENTITY = "the trunk features tell who it is no better than chance, so there is nothing to compare with"
NO_CLOSED_SET = "no two people are known with three faces each, so no probe can learn who they are"
NO_CONTROL = "no person among the faces for probes has four, so none can learn a random label for each person"

#: By the setting `probes`.
KINDS = {"all": PROBE_KINDS, "linear": LINEAR_KINDS}

Reasons = dict[str, str]


def expression_leakage(
    codes: Mapping[str, ComparedCode], parts: ProbeTables, kinds: Sequence[str], plan: Bootstrap, reasons: Reasons
) -> dict[str, Any]:
    """`expression_in_<code>` for every code, the adversary's state, and what V chose.

    Args:
        codes: The codes compared.
        parts: P, V and Q.
        kinds: Kinds of probes; the random branch gets the linear ones only.
        plan: Of the intervals.
        reasons: Takes why a number is None.
    """
    read = {
        name: leakage.run_probes(code.parts, parts, LINEAR_KINDS if name == "random" else kinds, plan)
        for name, code in codes.items()
    }
    adversary = leakage.adversary_result(parts, plan)
    trunk = leakage.best_probe(read["trunk"].values())
    # It knows the labels of train faces, by heart maybe; V cannot compare it with probes that saw none of its own.
    fair = "train" not in parts[1].splits
    found: dict[str, Any] = {}
    for name, readings in read.items():
        along = {"adversary": adversary} if name == "rest" and fair else {}
        found[f"expression_in_{name}"] = _summary(name, {**along, **readings}, kinds, trunk, parts[2], plan, reasons)
    if "rest" in codes:
        found["expression_in_rest"] = {"adversary": _figure(adversary)} | found["expression_in_rest"]
        found["expression_in_rest"] |= _controls(codes["rest"], read["rest"], parts, plan, reasons)
        asked = parts[2].adversary
        found["adversary"] = None if asked is None else leakage.adversary_diagnostics(asked, parts[2].identities, plan)
        if asked is None:
            reasons["leakage.adversary"] = NO_ADVERSARY
    else:
        reasons["leakage.expression_in_rest"] = reasons["leakage.adversary"] = NO_REST
        found |= {"expression_in_rest": None, "adversary": None}
    found["settings"] = {
        name: {kind: one.hyperparameters for kind, one in readings.items()} for name, readings in read.items()
    }
    return found


def _summary(
    name: str,
    readings: Mapping[str, ProbeResult | None],
    kinds: Sequence[str],
    trunk: ProbeResult | None,
    test: CodeTable,
    plan: Bootstrap,
    reasons: Reasons,
) -> dict[str, Any]:
    """Each probe's figure, the strongest one's, its name, the bits it reads, its share of the trunk's."""
    place = f"leakage.expression_in_{name}"
    known = [reading for reading in readings.values() if reading is not None]
    best, bits = (
        leakage.best_probe(known),
        leakage.best_usable_information(known, test, plan) or {"bits": None, "share": None},
    )
    share = leakage.normalised_leakage(best, trunk, test, plan) if best is not None and trunk is not None else None
    if not any(kind in readings for kind in kinds):
        reasons[f"{place}.linear"] = NO_PROBE
    if share is None and name != "trunk":
        reasons[f"{place}.normalised"] = NO_PROBE if trunk is None else NO_TRUNK_EXPRESSION
    figures = {kind: _figure(readings.get(kind)) for kind in (*(k for k in readings if k not in kinds), *kinds)}
    if name == "random":
        figures = {kind: figure for kind, figure in figures.items() if kind in LINEAR_KINDS}
    own = {} if name == "trunk" else {"normalised": share}
    return {**figures, "strongest": _figure(best), "kind": best.kind if best else None, **own, **bits}


def _controls(
    code: ComparedCode, readings: Mapping[str, ProbeResult], parts: ProbeTables, plan: Bootstrap, reasons: Reasons
) -> dict[str, Estimate | None]:
    """The band of chance, and how much better the expression is read than a label learned by heart."""
    fit = ProbeData(code.probe, parts[0].labels)
    null = permutation_null(fit, ProbeData(code.test, parts[2].labels), len(parts[2].classes), plan)
    if null is None or "linear" not in readings:
        return {"null": null, "selectivity": None}
    control = control_task(fit, parts[0].identities, len(parts[2].classes), plan.seed)
    if control is None:
        reasons["leakage.expression_in_rest.selectivity"] = NO_CONTROL
        return {"null": null, "selectivity": None}
    figure = readings["linear"].balanced_accuracy
    low, high = (None if bound is None else bound - control for bound in (figure.low, figure.high))
    return {"null": null, "selectivity": Estimate(figure.value - control, low, high, None, figure.n)}


def identity_leakage(
    codes: Mapping[str, ComparedCode], whole: CodeTable, kinds: Sequence[str], plan: Bootstrap, reasons: Reasons
) -> dict[str, Any]:
    """`identity_in_<code>`: who is it, out of K people whom the probe has seen with other expressions.

    Args:
        codes: The codes compared.
        whole: All faces that are evaluated.
        kinds: Kinds of probes.
        plan: Of the intervals.
        reasons: Takes why a number is None.
    """
    names = [name for name in codes if name != "random"]
    known = closed_set(whole.labels, whole.identities, plan.seed)
    if known is None:
        reasons |= {f"leakage.identity_in_{name}": NO_CLOSED_SET for name in names}
        return {f"identity_in_{name}": None for name in names}
    read = {name: run_identity_probes(codes[name].whole, known, kinds, plan) for name in names}
    trunk = leakage.best_probe(read["trunk"].values())
    found: dict[str, Any] = {}
    for name, readings in read.items():
        best = leakage.best_probe(readings.values())
        share = normalised_identity(best, trunk, len(known.test), plan) if best and trunk and name != "trunk" else None
        if share is None and name != "trunk":
            reasons[f"leakage.identity_in_{name}.normalised"] = NO_TRUNK_IDENTITY
        found[f"identity_in_{name}"] = _identity_summary(readings, best, share, name)
    return {**found, "identity": _described(known)}


def _identity_summary(
    readings: Mapping[str, IdentityProbeResult], best: IdentityProbeResult | None, share: Estimate | None, name: str
) -> dict[str, Any]:
    kind = next((kind for kind, reading in readings.items() if reading is best), None)
    own = {} if name == "trunk" else {"normalised": share}
    figures = {kind: reading.balanced_accuracy for kind, reading in readings.items()}
    return {**figures, "strongest": best.balanced_accuracy if best else None, "kind": kind, **own}


def _described(known: ClosedSet) -> dict[str, float]:
    return {
        "people": known.num_identities,
        "faces": len(known.train) + len(known.val) + len(known.test),
        "across": known.cross_expression_fraction,
    }


def _figure(reading: ProbeResult | None) -> Estimate | None:
    return None if reading is None else reading.balanced_accuracy
