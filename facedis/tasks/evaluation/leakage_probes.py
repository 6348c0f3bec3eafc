"""What every code tells of the expression and of the person, read by fresh probes."""

from collections.abc import Mapping, Sequence
from typing import Any

from facedis.metrics.codes import CodeTable
from facedis.metrics.probes.controls import control_task, permutation_null
from facedis.metrics.probes.probe_suite import ALL, LINEAR
from facedis.metrics.probes.probes import Part
from facedis.metrics.representation import leakage
from facedis.metrics.representation.identity import (
    ClosedSet,
    IdentityReading,
    closed_set,
    identity_readings,
    normalised_identity,
    strongest_identity,
)
from facedis.metrics.representation.leakage import Reading, Tables
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.result import Figure
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
KINDS = {"all": ALL, "linear": LINEAR}

Reasons = dict[str, str]


def expression_leakage(
    codes: Mapping[str, ComparedCode], parts: Tables, kinds: Sequence[str], plan: Bootstrap, reasons: Reasons
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
        name: leakage.readings(code.parts, parts, LINEAR if name == "random" else kinds, plan)
        for name, code in codes.items()
    }
    adversary = leakage.adversary_reading(parts, plan)
    trunk = leakage.strongest(read["trunk"].values())
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
        found["adversary"] = None if asked is None else leakage.adversary_state(asked, parts[2].identities, plan)
        if asked is None:
            reasons["leakage.adversary"] = NO_ADVERSARY
    else:
        reasons["leakage.expression_in_rest"] = reasons["leakage.adversary"] = NO_REST
        found |= {"expression_in_rest": None, "adversary": None}
    found["settings"] = {name: {kind: one.setting for kind, one in readings.items()} for name, readings in read.items()}
    return found


def _summary(
    name: str,
    readings: Mapping[str, Reading | None],
    kinds: Sequence[str],
    trunk: Reading | None,
    test: CodeTable,
    plan: Bootstrap,
    reasons: Reasons,
) -> dict[str, Any]:
    """Each probe's figure, the strongest one's, its name, the bits it reads, its share of the trunk's."""
    place = f"leakage.expression_in_{name}"
    known = [reading for reading in readings.values() if reading is not None]
    best, bits = leakage.strongest(known), leakage.information(known, test, plan) or {"bits": None, "share": None}
    share = leakage.normalised(best, trunk, test, plan) if best is not None and trunk is not None else None
    if not any(kind in readings for kind in kinds):
        reasons[f"{place}.linear"] = NO_PROBE
    if share is None and name != "trunk":
        reasons[f"{place}.normalised"] = NO_PROBE if trunk is None else NO_TRUNK_EXPRESSION
    figures = {kind: _figure(readings.get(kind)) for kind in (*(k for k in readings if k not in kinds), *kinds)}
    if name == "random":
        figures = {kind: figure for kind, figure in figures.items() if kind in LINEAR}
    own = {} if name == "trunk" else {"normalised": share}
    return {**figures, "strongest": _figure(best), "kind": best.kind if best else None, **own, **bits}


def _controls(
    code: ComparedCode, readings: Mapping[str, Reading], parts: Tables, plan: Bootstrap, reasons: Reasons
) -> dict[str, Figure | None]:
    """The band of chance, and how much better the expression is read than a label learned by heart."""
    fit = Part(code.probe, parts[0].labels)
    null = permutation_null(fit, Part(code.test, parts[2].labels), len(parts[2].classes), plan)
    if null is None or "linear" not in readings:
        return {"null": null, "selectivity": None}
    control = control_task(fit, parts[0].identities, len(parts[2].classes), plan.seed)
    if control is None:
        reasons["leakage.expression_in_rest.selectivity"] = NO_CONTROL
        return {"null": null, "selectivity": None}
    figure = readings["linear"].figure
    low, high = (None if bound is None else bound - control for bound in (figure.low, figure.high))
    return {"null": null, "selectivity": Figure(figure.value - control, low, high, None, figure.n)}


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
    read = {name: identity_readings(codes[name].whole, known, kinds, plan) for name in names}
    trunk = strongest_identity(read["trunk"])
    found: dict[str, Any] = {}
    for name, readings in read.items():
        best = strongest_identity(readings)
        share = normalised_identity(best, trunk, len(known.test), plan) if best and trunk and name != "trunk" else None
        if share is None and name != "trunk":
            reasons[f"leakage.identity_in_{name}.normalised"] = NO_TRUNK_IDENTITY
        found[f"identity_in_{name}"] = _identity_summary(readings, best, share, name)
    return {**found, "identity": _described(known)}


def _identity_summary(
    readings: Mapping[str, IdentityReading], best: IdentityReading | None, share: Figure | None, name: str
) -> dict[str, Any]:
    kind = next((kind for kind, reading in readings.items() if reading is best), None)
    own = {} if name == "trunk" else {"normalised": share}
    figures = {kind: reading.figure for kind, reading in readings.items()}
    return {**figures, "strongest": best.figure if best else None, "kind": kind, **own}


def _described(known: ClosedSet) -> dict[str, float]:
    return {
        "people": known.size,
        "faces": len(known.fit) + len(known.selection) + len(known.test),
        "across": known.across,
    }


def _figure(reading: Reading | None) -> Figure | None:
    return None if reading is None else reading.figure
