"""What the codes keep: people, and where nobody is known, the trunk's features without the expression."""

from collections.abc import Mapping

import numpy as np

from facedis.metrics.codes import CodeTable
from facedis.metrics.probes.linear import mean_and_scale, standard_deviations
from facedis.metrics.probes.regression import RegressionData, r2_ci, ridge_probe
from facedis.metrics.representation.leakage import ProbeTables
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.metrics.verification import pairs
from facedis.metrics.verification.recognition import rank_one, verification_rates
from facedis.result import Estimate
from facedis.tasks.evaluation.compared_codes import ComparedCode
from facedis.tasks.evaluation.leakage_probes import NO_PROBE, NO_REST, Reasons

NO_PEOPLE = "the faces do not say who is who"
NO_PAIRS = "no person is there with two expressions beside another person with the same one"
NO_EXPRESSION_PAIRS = "there are no two people with the same and no two with different expressions to compare"
NO_TRUNK_VERIFICATION = (
    "the trunk features tell people apart no better than chance, so there is nothing to compare with"
)
#: What is measured on pairs of faces of each code.
PAIR_METRICS = ("identity_auc", "eer", "tar_at_far_1", "rank1")
_NAMES = ("rest", "expression", "trunk", "erased_trunk", "random")


def retention(
    codes: Mapping[str, ComparedCode], parts: ProbeTables, whole: CodeTable, plan: Bootstrap, reasons: Reasons
) -> dict[str, Estimate | None]:
    """Figures of what each code keeps, named `<measure>_<code>`.

    Args:
        codes: The codes compared.
        parts: P, V and Q, for what must be learned.
        whole: All faces that are evaluated, for what need not.
        plan: Of the intervals.
        reasons: Takes why a number is None.
    """
    found = _people(codes, whole, plan, reasons)
    found |= _embedding(codes, parts, plan, reasons)
    drawn = pairs.expression_pairs(whole.labels, whole.identities, plan.seed)
    likeness = pairs.cosines(whole.expression, drawn.first, drawn.second)
    found["same_expression_auc"] = pairs.auc(likeness, drawn, whole.identities, plan)
    if found["same_expression_auc"] is None:
        reasons["retention.same_expression_auc"] = NO_EXPRESSION_PAIRS
    return found


def _people(
    codes: Mapping[str, ComparedCode], whole: CodeTable, plan: Bootstrap, reasons: Reasons
) -> dict[str, Estimate | None]:
    """Pairs of one person with two expressions against two people with the same one."""
    drawn = pairs.identity_pairs(whole.labels, whole.identities, plan.seed)
    found: dict[str, Estimate | None] = {}
    likeness = {name: pairs.cosines(codes[name].whole, drawn.first, drawn.second) for name in _NAMES if name in codes}
    for name in _NAMES:
        values = likeness.get(name)
        measured = _measured(codes[name], values, drawn, whole, plan) if values is not None else {}
        found |= {f"{measure}_{name}": measured.get(measure) for measure in PAIR_METRICS}
        if found[f"identity_auc_{name}"] is None:
            why = NO_PAIRS if (whole.identities != "").any() else NO_PEOPLE
            reasons |= {
                f"retention.{measure}_{name}": why if name in codes else NO_REST if name == "rest" else NO_PROBE
                for measure in PAIR_METRICS
            }
    both = "rest" in likeness and found["identity_auc_rest"] is not None
    share = pairs.normalised_auc(likeness["rest"], likeness["trunk"], drawn, whole.identities, plan) if both else None
    if both and share is None:
        reasons["retention.normalised"] = NO_TRUNK_VERIFICATION
    return found | {"normalised": share}


def _measured(
    code: ComparedCode, likeness: np.ndarray, drawn: pairs.Pairs, whole: CodeTable, plan: Bootstrap
) -> dict[str, Estimate | None]:
    area = pairs.auc(likeness, drawn, whole.identities, plan)
    if area is None:
        return {}
    rates = verification_rates(likeness, drawn, whole.identities, plan) or {}
    return {
        "identity_auc": area,
        **rates,
        "rank1": rank_one(code.whole, whole.labels, whole.identities, plan),
    }


def _embedding(
    codes: Mapping[str, ComparedCode], parts: ProbeTables, plan: Bootstrap, reasons: Reasons
) -> dict[str, Estimate | None]:
    """How much of the trunk's features, the expression erased, ridge regression gets out of a code.

    It needs no name of anybody: what tells people apart is in those features, if it is anywhere. They
    are taken in units of what each varied by before the erasure: a few loud ones would else decide
    the number, and those of which only noise is left would count as much as the others.
    """
    names = ("rest", "expression", "random")
    target = _scaled(codes["erased_trunk"], codes["trunk"]) if "erased_trunk" in codes else None
    found: dict[str, Estimate | None] = {}
    for name in names:
        code, key = codes.get(name), f"embedding_r2_{name}"
        reading = None
        if code is not None and target is not None:
            fit, selection = RegressionData(code.probe, target.probe), RegressionData(code.selection, target.selection)
            reading = ridge_probe(fit, selection, code.test)
        found[key] = None if reading is None else r2_ci(target.test, reading.predictions, parts[2].identities, plan)
        if reading is None:
            reasons[f"retention.{key}"] = NO_REST if name == "rest" and code is None else NO_PROBE
    return found


def _scaled(code: ComparedCode, reference: ComparedCode) -> ComparedCode:
    """P, V and Q of `code` in units of the deviations of `reference` on P; 0 where that never moves."""
    centre, scale = mean_and_scale(reference.probe)
    moving = standard_deviations(reference.probe) > 0
    return ComparedCode(*(np.where(moving, (part - centre) / scale, 0.0) for part in code.parts), whole=code.whole[:0])
