"""What an evaluation says, in sentences that hold whether or not the news is good."""

from collections.abc import Iterator, Mapping
from typing import Any

from facedis.reports.numbers import DECIMAL, PERCENT, NumberFormat, compare_to_chance

#: A code is called collapsed from here on.
COLLAPSED_COSINE, COLLAPSED_RANK, COLLAPSED_DEAD = 0.99, 2.0, 0.5
_RATIO = NumberFormat(digits=2)
_R2 = NumberFormat(digits=2)
_BITS = NumberFormat(digits=2, unit=" bits")


def findings(result: Mapping[str, Any]) -> list[str]:
    """One sentence for each claim that the method makes about its codes.

    Args:
        result: A record of kind "evaluation".
    """
    return [
        *_task(result),
        *_leakage(result["leakage"]),
        *_identity(result["leakage"]),
        *_retention(result["retention"]),
        *_collapse(result["collapse"]),
    ]


def _task(result: Mapping[str, Any]) -> Iterator[str]:
    task = result["task"]
    yield (
        f"The expression is named right for {PERCENT.with_interval(task['accuracy'])} of the faces; "
        f"always naming the most frequent one would be right for {PERCENT.value(task['majority_rate'])}."
    )


def _leakage(leakage: Mapping[str, Any]) -> Iterator[str]:
    rest = leakage["expression_in_rest"]
    if rest is None or rest["strongest"] is None:
        return
    strongest = rest["strongest"]
    verdict = {
        "above": "The rest code still tells the expression",
        "at": "The rest code tells the expression no better than chance",
        "below": "The rest code tells the expression worse than chance, which is information too",
        None: "Too few faces to say whether the rest code tells the expression",
    }[compare_to_chance(strongest)]
    yield f"{verdict}: {PERCENT.with_chance(strongest)}."
    if rest["normalised"] is not None:
        yield f"That is {_RATIO.with_interval(rest['normalised'])} of what the trunk features tell above chance."
    if rest["bits"] is not None:
        yield f"It holds at least {_BITS.with_interval(rest['bits'])} of it, {PERCENT.value(rest['share'])} of all there is."
    yield from _adversary(rest)
    yield from _erasure_comparison(leakage)


def _erasure_comparison(leakage: Mapping[str, Any]) -> Iterator[str]:
    """Training is worth its while only where it leaves less than plain algebra on the trunk features does."""
    rest, erased = leakage["expression_in_rest"]["strongest"], leakage.get("expression_in_erased_trunk")
    if erased is None or erased["strongest"] is None or None in (rest["low"], erased["strongest"]["low"]):
        return
    other = erased["strongest"]
    facts = f"{PERCENT.value(rest)} against {PERCENT.value(other)}"
    if rest["low"] > other["high"]:
        yield f"The rest code leaks more than trunk features with the expression erased linearly: {facts}."
    elif rest["high"] < other["low"]:
        yield f"The rest code leaks less than trunk features with the expression erased linearly: {facts}."
    else:
        yield f"The rest code leaks as much as trunk features with the expression erased linearly: {facts}."


def _identity(leakage: Mapping[str, Any]) -> Iterator[str]:
    found = leakage.get("identity_in_expression")
    if found is None or found["strongest"] is None:
        return
    verdict = {
        "above": "The expression code tells who it is",
        "at": "The expression code tells who it is no better than chance",
        "below": "The expression code names the right person less often than chance",
        None: "Too few people to say whether the expression code tells who it is",
    }[compare_to_chance(found["strongest"])]
    new = ", by faces with expressions that the probe never saw of them" if leakage["identity"]["across"] == 1 else ""
    yield f"{verdict}: right for {PERCENT.with_chance(found['strongest'])}{new}."


def _adversary(rest: Mapping[str, Any]) -> Iterator[str]:
    adversary, fresh = rest["adversary"], rest["strongest"]
    if adversary is None or fresh is None or fresh["low"] is None or adversary["high"] is None:
        return
    if fresh["low"] > adversary["high"]:
        yield (
            f"The adversary that was trained along reads only {PERCENT.value(adversary)} where a fresh probe "
            f"reads {PERCENT.value(fresh)}: it understates the leak."
        )


def _retention(retention: Mapping[str, Any]) -> Iterator[str]:
    for name, key in (("rest", "identity_auc_rest"), ("expression", "identity_auc_expression")):
        figure = retention[key]
        if figure is None:
            continue
        verdict = {
            "above": f"The {name} code keeps identity",
            "at": f"The {name} code tells people apart no better than chance",
            "below": f"The {name} code goes by the expression rather than by the person",
            None: f"Too few people to say whether the {name} code keeps identity",
        }[compare_to_chance(figure)]
        yield f"{verdict}: AUC {DECIMAL.with_chance(figure)}."
    if retention["identity_auc_rest"] is None and retention["embedding_r2_rest"] is not None:
        yield (
            "Nobody is known by name; of the trunk features without the expression the rest code predicts "
            f"{_R2.with_interval(retention['embedding_r2_rest'])} of the variance."
        )
    figure = retention["same_expression_auc"]
    if figure is not None:
        verdict = {
            "above": "Expression codes of two people with the same expression are more alike than others",
            "at": "Expression codes of two people with the same expression are no more alike than others",
            "below": "Expression codes of two people with the same expression are less alike than others",
            None: "Too few people to say whether the same expression gives similar codes",
        }[compare_to_chance(figure)]
        yield f"{verdict}: AUC {DECIMAL.with_chance(figure)}."


def _collapse(collapse: Mapping[str, Any]) -> Iterator[str]:
    for name, signs in collapse.items():
        if signs is None:
            continue
        rank, dead, cosine = (signs[key]["value"] for key in ("effective_rank", "dead_share", "mean_cosine"))
        facts = (
            f"effective rank {rank:.1f} of {signs['size']}, {PERCENT.value(signs['dead_share'])} of its numbers dead, "
            f"mean cosine {DECIMAL.value(signs['mean_cosine'])}"
        )
        if rank == 0:
            yield f"The {name} code is constant: it says nothing, so that it leaks nothing means nothing."
        elif rank < COLLAPSED_RANK or dead > COLLAPSED_DEAD or (cosine or 0.0) > COLLAPSED_COSINE:
            yield f"The {name} code has collapsed: {facts}."
        else:
            yield f"The {name} code has not collapsed: {facts}."
