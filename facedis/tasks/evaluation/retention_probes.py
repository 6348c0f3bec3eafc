"""Retention: identity, and the trunk features without the expression, that each code keeps."""

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

NO_PEOPLE = "the identities are unknown"
NO_PAIRS = "no person has two expressions of which another person has one"
NO_EXPRESSION_PAIRS = "there are no pairs of people with the same and with different expressions"
NO_TRUNK_VERIFICATION = "undefined because the trunk features verify identities no better than chance"
#: Metrics on pairs of faces.
PAIR_METRICS = ("identity_auc", "eer", "tar_at_far_1", "rank1")
_NAMES = ("rest", "expression", "trunk", "erased_trunk", "random")


def retention(
    codes: Mapping[str, ComparedCode], parts: ProbeTables, evaluated: CodeTable, plan: Bootstrap, reasons: Reasons
) -> dict[str, Estimate | None]:
    """Retention of each code.

    Args:
        codes: The compared codes.
        parts: Tables of the probe splits, for the embedding probes.
        evaluated: Table of all evaluated faces, for the metrics on pairs.
        plan: Bootstrap of the intervals.
        reasons: Receives the reason for each value that is None.

    Returns:
        Estimates named `<metric>_<code>`, with `normalised` and `same_expression_auc`.
    """
    found = _identity_retention(codes, evaluated, plan, reasons)
    found |= _embedding_retention(codes, parts, plan, reasons)
    sampled = pairs.expression_pairs(evaluated.labels, evaluated.identities, plan.seed)
    cosines = pairs.cosines(evaluated.expression, sampled.first, sampled.second)
    found["same_expression_auc"] = pairs.auc(cosines, sampled, evaluated.identities, plan)
    if found["same_expression_auc"] is None:
        reasons["retention.same_expression_auc"] = NO_EXPRESSION_PAIRS
    return found


def _identity_retention(
    codes: Mapping[str, ComparedCode], evaluated: CodeTable, plan: Bootstrap, reasons: Reasons
) -> dict[str, Estimate | None]:
    """Pairs of one person with two expressions against pairs of two people with the same expression."""
    sampled = pairs.identity_pairs(evaluated.labels, evaluated.identities, plan.seed)
    cosines = {
        name: pairs.cosines(codes[name].evaluated, sampled.first, sampled.second) for name in _NAMES if name in codes
    }
    found: dict[str, Estimate | None] = {}
    for name in _NAMES:
        metrics = _pair_metrics(codes[name], cosines[name], sampled, evaluated, plan) if name in codes else {}
        found |= {f"{metric}_{name}": metrics.get(metric) for metric in PAIR_METRICS}
        if found[f"identity_auc_{name}"] is None:
            reason = NO_PAIRS if (evaluated.identities != "").any() else NO_PEOPLE
            if name not in codes:
                reason = NO_REST if name == "rest" else NO_PROBE
            reasons |= {f"retention.{metric}_{name}": reason for metric in PAIR_METRICS}
    if "rest" not in cosines or found["identity_auc_rest"] is None:
        return found | {"normalised": None}
    ratio = pairs.normalised_auc(cosines["rest"], cosines["trunk"], sampled, evaluated.identities, plan)
    if ratio is None:
        reasons["retention.normalised"] = NO_TRUNK_VERIFICATION
    return found | {"normalised": ratio}


def _pair_metrics(
    code: ComparedCode, cosines: np.ndarray, sampled: pairs.Pairs, evaluated: CodeTable, plan: Bootstrap
) -> dict[str, Estimate | None]:
    area = pairs.auc(cosines, sampled, evaluated.identities, plan)
    if area is None:
        return {}
    rates = verification_rates(cosines, sampled, evaluated.identities, plan) or {}
    rank1 = rank_one(code.evaluated, evaluated.labels, evaluated.identities, plan)
    return {"identity_auc": area, **rates, "rank1": rank1}


def _embedding_retention(
    codes: Mapping[str, ComparedCode], parts: ProbeTables, plan: Bootstrap, reasons: Reasons
) -> dict[str, Estimate | None]:
    """R^2 of ridge regression from each code to the trunk features with the expression erased.

    This needs no identities. The targets are scaled by their standard deviations before the erasure: unscaled, a few
    features of large variance decide the result; scaled by those after the erasure, features that are only noise
    count as much as the others.
    """
    target = _scaled(codes["erased_trunk"], codes["trunk"]) if "erased_trunk" in codes else None
    found: dict[str, Estimate | None] = {}
    for name in ("rest", "expression", "random"):
        code, key = codes.get(name), f"embedding_r2_{name}"
        found[key] = None
        if code is not None and target is not None:
            train, val, test = (RegressionData(*arrays) for arrays in zip(code.parts, target, strict=True))
            result = ridge_probe(train, val, code.probe_test)
            if result is not None:
                found[key] = r2_ci(test.targets, result.predictions, parts[2].identities, plan)
        if found[key] is None:
            reasons[f"retention.{key}"] = NO_REST if name == "rest" and code is None else NO_PROBE
    return found


def _scaled(code: ComparedCode, reference: ComparedCode) -> list[np.ndarray]:
    """The probe splits of `code` in units of the deviations of `reference`; 0 where `reference` is constant."""
    centre, scale = mean_and_scale(reference.probe_train)
    varying = standard_deviations(reference.probe_train) > 0
    return [np.where(varying, (part - centre) / scale, 0.0) for part in code.parts]
