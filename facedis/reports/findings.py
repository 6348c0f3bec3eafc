"""The findings of an evaluation as sentences. Every verdict follows from a 95 % interval."""

from collections.abc import Iterator, Mapping
from typing import Any

from facedis.reports.labels import CODE_LABELS
from facedis.reports.numbers import DECIMAL, PERCENT, RATIO, NumberFormat, compare_to_chance

#: A code counts as collapsed beyond any of these.
COLLAPSED_COSINE, COLLAPSED_RANK, COLLAPSED_DEAD = 0.99, 2.0, 0.5
_BITS = NumberFormat(digits=2, unit=" bits")


def findings(result: Mapping[str, Any]) -> list[str]:
    """One sentence per finding.

    Args:
        result: A record of kind "evaluation".
    """
    return [
        *_accuracy(result["task"]),
        *_expression_leakage(result["leakage"]),
        *_identity_leakage(result["leakage"]),
        *_retention(result["retention"]),
        *_collapse(result["collapse"]),
    ]


def _accuracy(task: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"Expression accuracy: {PERCENT.with_chance(task['accuracy'])}. Always predicting the most frequent expression "
        f"gives {PERCENT.value(task['majority_rate'])}."
    )


def _expression_leakage(leakage: Mapping[str, Any]) -> Iterator[str]:
    rest = leakage["expression_in_rest"]
    if rest is None or rest["strongest"] is None:
        return
    best = rest["strongest"]
    verdict = {
        "above": "The rest code leaks the expression",
        "at": "No leakage of the expression into the rest code was detected",
        "below": "The best expression probe on the rest code is below chance; see the notes",
        None: "Too few faces to test whether the rest code leaks the expression",
    }[compare_to_chance(best)]
    yield f"{verdict}: balanced accuracy of the best probe {PERCENT.with_chance(best)}."
    if rest["normalised"] is not None:
        yield f"Relative to the trunk features, the leakage above chance is {RATIO.with_interval(rest['normalised'])}."
    if rest["bits"] is not None:
        bits, fraction = _BITS.with_interval(rest["bits"]), PERCENT.value(rest["share"])
        yield f"Usable information about the expression in the rest code: at least {bits}, {fraction} of the entropy."
    yield from _adversary_comparison(rest)
    yield from _erasure_comparison(leakage)


def _adversary_comparison(rest: Mapping[str, Any]) -> Iterator[str]:
    adversary, probe = rest["adversary"], rest["strongest"]
    if adversary is None or probe["low"] is None or adversary["high"] is None:
        return
    if probe["low"] > adversary["high"]:
        yield (
            f"The adversary underestimates the leakage: the training adversary reaches {PERCENT.value(adversary)}, "
            f"a probe trained afterwards {PERCENT.value(probe)}."
        )


def _erasure_comparison(leakage: Mapping[str, Any]) -> Iterator[str]:
    """Compares the rest code with linear concept erasure on the trunk features, which needs no training."""
    rest, erased = leakage["expression_in_rest"]["strongest"], leakage.get("expression_in_erased_trunk")
    if erased is None or erased["strongest"] is None or None in (rest["low"], erased["strongest"]["low"]):
        return
    baseline = erased["strongest"]
    if rest["low"] > baseline["high"]:
        verdict = "more than"
    elif rest["high"] < baseline["low"]:
        verdict = "less than"
    else:
        verdict = "about as much as"
    yield (
        f"The rest code leaks {verdict} the trunk features after linear concept erasure (LEACE): "
        f"{PERCENT.value(rest)} and {PERCENT.value(baseline)}."
    )


def _identity_leakage(leakage: Mapping[str, Any]) -> Iterator[str]:
    found = leakage.get("identity_in_expression")
    if found is None or found["strongest"] is None:
        return
    verdict = {
        "above": "The expression code leaks identity",
        "at": "No leakage of identity into the expression code was detected",
        "below": "The best identity probe on the expression code is below chance; see the notes",
        None: "Too few people to test whether the expression code leaks identity",
    }[compare_to_chance(found["strongest"])]
    unseen = ", on expressions unseen for that person in training" if leakage["identity"]["across"] == 1 else ""
    yield f"{verdict}: balanced accuracy of the best probe {PERCENT.with_chance(found['strongest'])}{unseen}."


def _retention(retention: Mapping[str, Any]) -> Iterator[str]:
    for name in ("rest", "expression"):
        estimate, code = retention[f"identity_auc_{name}"], CODE_LABELS[name]
        if estimate is None:
            continue
        verdict = {
            "above": f"The {code} separates people across expressions",
            "at": f"The {code} does not separate people across expressions better than chance",
            "below": f"The {code} is more similar for the same expression than for the same person",
            None: f"Too few people to test whether the {code} separates people across expressions",
        }[compare_to_chance(estimate)]
        yield f"{verdict}: AUC {DECIMAL.with_chance(estimate)}."
    if retention["identity_auc_rest"] is None and retention["embedding_r2_rest"] is not None:
        yield (
            "The faces have no identity labels. The rest code explains "
            f"{RATIO.with_interval(retention['embedding_r2_rest'])} of the variance of the trunk features after LEACE."
        )
    estimate = retention["same_expression_auc"]
    if estimate is not None:
        verdict = {
            "above": "Expression codes of different people are more similar when the expression is the same",
            "at": "Expression codes of different people are not more similar when the expression is the same",
            "below": "Expression codes of different people are less similar when the expression is the same",
            None: "Too few people to compare expression codes across people",
        }[compare_to_chance(estimate)]
        yield f"{verdict}: AUC {DECIMAL.with_chance(estimate)}."


def _collapse(collapse: Mapping[str, Any]) -> Iterator[str]:
    for name, measures in collapse.items():
        if measures is None:
            continue
        rank, dead, cosine = (measures[key]["value"] for key in ("effective_rank", "dead_share", "mean_cosine"))
        details = (
            f"effective rank {rank:.1f} of {measures['size']}, "
            f"{PERCENT.value(measures['dead_share'])} dead dimensions, "
            f"mean cosine {DECIMAL.value(measures['mean_cosine'])}"
        )
        if rank == 0:
            yield f"The {name} code is constant. It carries no information, so its low leakage has no meaning."
        elif rank < COLLAPSED_RANK or dead > COLLAPSED_DEAD or (cosine or 0.0) > COLLAPSED_COSINE:
            yield f"The {name} code has collapsed: {details}."
        else:
            yield f"The {name} code has not collapsed: {details}."
