"""The evaluation results of a model as sections of its card, in Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from facedis.reports.evaluation_tables import (
    caveats,
    classification_tables,
    code_tables,
    collapse_table,
    confusion_table,
    factor_tables,
    verification_table,
)
from facedis.reports.findings import findings
from facedis.reports.numbers import ESTIMATE_COLUMNS, PERCENT, EstimateRow, count
from facedis.reports.tables.table_formats import TextTable, to_markdown
from facedis.reports.terminal.swap_eval import METRICS, estimates
from facedis.reports.terminal.swap_eval import findings as swap_findings

_DONORS = {"across": "expression and rest code from two people", "within": "both codes from one person"}


def evaluation_section(result: Mapping[str, Any]) -> list[str]:
    """The lines of one record of kind "evaluation" or "swap_eval"."""
    title = f"### {result['dataset']}, split {result['split']}: {count(result['n'], 'face')}"
    if result["kind"] == "swap_eval":
        return [f"{title}, swaps", "", *_swaps(result)]
    return [title, "", *_evaluation(result)]


def _evaluation(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"Measured by `{result['command']}` on {result['faces']} with facedis {result['facedis']}."
    yield ""
    yield from _list(findings(result))
    for table in (
        *classification_tables(result),
        *code_tables(result),
        *verification_table(result["retention"]),
        collapse_table(result["collapse"]),
        *factor_tables(result),
    ):
        yield to_markdown(table)
    yield from _people(result)
    yield to_markdown(confusion_table(result))
    yield from _caveats(caveats(result))


def _people(result: Mapping[str, Any]) -> Iterator[str]:
    """The distribution of the accuracy over people."""
    found = result.get("people")
    if found is None:
        why = result["reasons"].get("people", "the record does not contain it")
        yield f"Accuracy per person: not known ({why})."
    else:
        values = {key: PERCENT.value({"value": found[key]}) for key in ("q10", "median", "q90", "least", "sd")}
        people = count(found["people"], "person", "people")
        expected = PERCENT.value({"value": found["sd_by_chance"]})
        yield (
            f"Accuracy per person ({people} with {found['faces_each']:.1f} faces on average): "
            f"10th percentile {values['q10']}, median {values['median']}, 90th percentile {values['q90']}, "
            f"minimum {values['least']}, standard deviation {values['sd']} "
            f"({expected} if all people were equally difficult)."
        )
    yield ""


def _swaps(result: Mapping[str, Any]) -> Iterator[str]:
    yield from _list(swap_findings(result))
    for kind, title in _DONORS.items():
        metrics = ((label, style, estimates(result, name, kind)) for name, label, style in METRICS)
        rows = tuple(EstimateRow(label, style, found["swap"]).cells() for label, style, found in metrics if found)
        if rows:
            yield to_markdown(TextTable(f"Swaps, {title}", ESTIMATE_COLUMNS, rows))
    yield from _caveats([*result["notes"], *dict.fromkeys(result["reasons"].values())])


def _caveats(texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield "Caveats:"
        yield ""
        yield from _list(texts)


def _list(texts: Sequence[str]) -> Iterator[str]:
    yield from (f"- {text}" for text in texts)
    yield ""
