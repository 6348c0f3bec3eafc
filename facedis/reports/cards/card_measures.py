"""The measurements of a model as sections of its card, in Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from facedis.reports.findings import findings
from facedis.reports.numbers import DECIMAL, MISSING, PERCENT, AnyEstimate, NumberFormat, integer
from facedis.reports.tables.table_formats import markdown_row
from facedis.reports.terminal.eval import caveats, tables
from facedis.reports.terminal.swap_eval import METRICS, estimates
from facedis.reports.terminal.swap_eval import findings as swap_findings

_HEAD = ("", "value", "95 % interval", "chance", "n")
_VERIFICATION = (
    ("identity_auc", "told apart (AUC)", DECIMAL),
    ("eer", "equal error rate", PERCENT),
    ("tar_at_far_1", "accepted where 1 % of others are", PERCENT),
    ("rank1", "nearest is the same person", PERCENT),
)
_CODES = {
    "rest": "rest code",
    "expression": "expression code",
    "trunk": "trunk features",
    "erased_trunk": "trunk, expression erased",
    "random": "untrained branch",
}
_COLLAPSE = (
    ("effective_rank", "effective rank", NumberFormat(digits=1)),
    ("dead_share", "dead numbers", PERCENT),
    ("mean_cosine", "mean cosine", DECIMAL),
    ("total_variance", "total variance", NumberFormat(digits=2)),
)
_KINDS = {"across": "expression and rest from two people", "within": "both from one person"}


def measurements(result: Mapping[str, Any]) -> list[str]:
    """The lines of one record of kind "evaluation" or "swap_eval"."""
    title = f"### {result['dataset']}, split {result['split']}: {result['n']:,} faces"
    if result["kind"] == "swap_eval":
        return [f"{title}, swaps", "", *_swaps(result)]
    return [title, "", *_evaluation(result)]


def _evaluation(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"Measured by `{result['command']}` on {result['faces']} with facedis {result['facedis']}."
    yield ""
    yield from (f"- {finding}" for finding in findings(result))
    yield ""
    for title, rows in tables(result):
        yield from _table(title, rows)
    yield from _table("Recognised across expressions", list(_verification(result["retention"])))
    yield from _table("Whether a code says anything at all", list(_collapse(result["collapse"])))
    yield from _factors(result["factors"])
    yield from _spread(result)
    yield from _confusion(result)
    yield from _caveats(caveats(result))


def _verification(retention: Mapping[str, Any]) -> Iterator[tuple[str, NumberFormat, AnyEstimate]]:
    for code, name in _CODES.items():
        for key, label, style in _VERIFICATION:
            if retention.get(f"{key}_{code}") is not None:
                yield f"{name}: {label}", style, retention[f"{key}_{code}"]


def _collapse(codes: Mapping[str, Any]) -> Iterator[tuple[str, NumberFormat, AnyEstimate]]:
    for code, signs in codes.items():
        for key, label, style in _COLLAPSE if signs else ():
            yield f"{_CODES[code]} ({signs['size']} numbers): {label}", style, signs[key]


def _factors(factors: Mapping[str, Any]) -> Iterator[str]:
    known = [name for name in factors if name != "all"]
    if not known:
        return
    gaps = ("block_mig", "block_sap", "block_dci", "mig", "sap")
    codes = list(factors[known[0]].get("score") or ())
    yield "Known factors (gaps: 1 in its own code alone, 0 in both or none, -1 in the other)"
    yield ""
    yield from _head(("", *gaps, *(f"read from {code}" for code in codes)))
    for name in known:
        scores = factors[name].get("score") or {}
        numbers = [factors[name].get(gap) for gap in gaps] + [scores.get(code) for code in codes]
        yield markdown_row([name, *(MISSING if number is None else f"{number:.3f}" for number in numbers)])
    yield ""


def _spread(result: Mapping[str, Any]) -> Iterator[str]:
    """Whether the model serves some people worse than others, as far as the faces say who is who."""
    found = result.get("people")
    if found is None:
        why = result["reasons"].get("people", "this record is older than the measure")
        yield f"How the accuracy differs between people: not known ({why})."
    else:
        low, middle, high = (PERCENT.value({"value": found[key]}) for key in ("q10", "median", "q90"))
        sd, chance = (PERCENT.value({"value": found[key]}) for key in ("sd", "sd_by_chance"))
        yield (
            f"How the accuracy differs between {found['people']:,} people with {found['faces_each']:.1f} faces each: a "
            f"tenth of them below {low}, half below {middle}, a tenth above {high}; "
            f"the worst {PERCENT.value({'value': found['least']})}; standard deviation {sd}, "
            f"where {chance} would be expected if all were equally easy."
        )
    yield ""


def _confusion(result: Mapping[str, Any]) -> Iterator[str]:
    yield "True expression (row) and predicted one (column)"
    yield ""
    yield from _head(("", *result["classes"]))
    for name, row in zip(result["classes"], result["confusion"], strict=True):
        yield markdown_row([name, *(f"{cell:,}" for cell in row)])
    yield ""


def _swaps(result: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"- {finding}" for finding in swap_findings(result))
    yield ""
    for kind, title in _KINDS.items():
        found = {label: (style, estimates(result, name, kind)) for name, label, style in METRICS}
        rows = [(label, style, figure["swap"]) for label, (style, figure) in found.items() if figure]
        yield from _table(f"Swaps, {title}", rows)
    yield from _caveats([*result["notes"], *dict.fromkeys(result["reasons"].values())])


def _table(title: str, rows: Sequence[tuple[str, NumberFormat, AnyEstimate]]) -> Iterator[str]:
    if not rows:
        return
    yield title
    yield ""
    yield from _head(_HEAD)
    for label, style, figure in rows:
        n = figure["n"] if figure else None
        yield markdown_row([label, style.value(figure), style.interval(figure), style.chance(figure), integer(n)])
    yield ""


def _head(names: Sequence[str]) -> Iterator[str]:
    yield markdown_row(names)
    yield markdown_row([":--", *["--:"] * (len(names) - 1)])


def _caveats(said: Sequence[str]) -> Iterator[str]:
    if said:
        yield "To know:"
        yield ""
        yield from (f"- {sentence}" for sentence in said)
        yield ""
