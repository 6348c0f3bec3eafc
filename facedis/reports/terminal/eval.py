"""An evaluation as one readable page: tables first, then what they mean in plain sentences."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from facedis.reports.findings import findings
from facedis.reports.numbers import DECIMAL, MISSING, NATS, PERCENT, AnyEstimate, NumberFormat, integer
from facedis.reports.published_results import ProtocolResults, matching_protocols

_TASK = (
    ("accuracy", "accuracy", PERCENT),
    ("accuracy without contempt", "accuracy_without_contempt", PERCENT),
    ("balanced accuracy", "balanced_accuracy", PERCENT),
    ("macro-F1", "macro_f1", PERCENT),
    ("always the most frequent", "majority_rate", PERCENT),
    ("calibration error", "ece", PERCENT),
    ("log loss", "nll", NATS),
)
_PROBES = {
    "adversary": "adversary trained along",
    "linear": "fresh linear probe",
    "whitened": "linear probe, whitened",
    "mlp": "network",
    "knn": "nearest neighbours",
    "boosting": "boosted trees",
}
_REST = (
    ("normalised", "as a share of the trunk's", NumberFormat(digits=2)),
    ("bits", "usable information", NumberFormat(unit=" bits")),
    ("share", "as a share of all there is", PERCENT),
    ("null", "with shuffled labels", PERCENT),
    ("selectivity", "above a label learned by heart", PERCENT),
)
_CODES = {
    "rest": "rest code",
    "expression": "expression code",
    "trunk": "trunk features",
    "erased_trunk": "trunk, expression erased",
    "random": "untrained branch",
}
_ADVERSARY = (
    ("majority_share", "adversary: most frequent answer", PERCENT),
    ("entropy", "adversary: entropy, 1 undecided", DECIMAL),
    ("confusion_excess", "adversary: loss above its least", NATS),
)
_VERIFICATION = (("identity_auc", "AUC"), ("eer", "EER"), ("tar_at_far_1", "TAR@1 %"), ("rank1", "rank 1"))
_SCORES = ("block_mig", "block_sap", "block_dci", "mig", "sap")
#: Letters of an expression at the head of a narrow column.
_ABBREVIATION = 7


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The page of a record of kind "evaluation", piece by piece."""
    yield _heading(result)
    found = [_table(title, iter(rows)) for title, rows in tables(result)]
    yield from found[:2]
    yield _confusion(result["confusion"], result["classes"])
    yield from found[2:]
    if any(result["retention"][f"identity_auc_{code}"] is not None for code in _CODES):
        yield _verification(result["retention"])
    if result["factors"]:
        yield _factors(result["factors"])
        yield _informativeness(result)
    yield _collapse(result["collapse"])
    yield from map(_protocol, matching_protocols(result))
    yield _listed("What this says", findings(result))
    if caveats(result):
        yield _listed("To know", caveats(result))
    if "output" in result:
        yield Text(f"Written: {result['output']}/result.json, confusion.png")
    if "page" in result:
        yield Text(f"Page: {result['page']}")


def tables(result: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, NumberFormat, AnyEstimate]]]]:
    """Every table of figures: its title and its rows of label, style and figure; empty ones left out.

    The first two are about the expression head, the others about the codes.
    """
    leakage, retention = result["leakage"], result["retention"]
    found = {
        "Expression": _task_rows(result),
        "Recall of each expression": _recall_rows(result),
        "Expression read from the rest code": _rest_rows(leakage),
        "Expression read from (strongest probe)": _strongest_rows(leakage, "expression"),
        _identity_title(leakage): _strongest_rows(leakage, "identity"),
        "Told apart by cosine (AUC)": _auc_rows(retention),
        "Trunk features without the expression, predicted from (R2)": _embedding_rows(retention),
    }
    return [(title, listed) for title, rows in found.items() if (listed := list(rows))]


def caveats(result: Mapping[str, Any]) -> list[str]:
    """What a reader must know: notes, faces left out, why numbers are missing."""
    return [*result["notes"], *_left_out(result), *dict.fromkeys(result["reasons"].values())]


def _heading(result: Mapping[str, Any]) -> Text:
    text = Text()
    text.append(f"{result['model']} on {result['faces']}\n", "bold")
    text.append(f"split {result['split']}, {result['n']:,} faces, seed {result['seed']}, intervals of 95 %\n", "dim")
    return text


def _task_rows(result: Mapping[str, Any]) -> Iterator[tuple[str, NumberFormat, AnyEstimate]]:
    for label, key, style in _TASK:
        if key in result["task"]:
            yield label, style, result["task"][key]


def _recall_rows(result: Mapping[str, Any]) -> Iterator[tuple[str, NumberFormat, AnyEstimate]]:
    for name, figure in result["recall"].items():
        yield name, PERCENT, figure


def _rest_rows(leakage: Mapping[str, Any]) -> Iterator[tuple[str, NumberFormat, AnyEstimate]]:
    rest = leakage["expression_in_rest"]
    if rest is None:
        return
    for kind, label in _PROBES.items():
        if rest.get(kind) is not None:
            yield label, PERCENT, rest[kind]
    yield f"strongest ({_PROBES.get(rest['kind'], MISSING)})", PERCENT, rest["strongest"]
    for key, label, style in _REST:
        if rest[key] is not None:
            yield label, style, rest[key]
    for key, label, style in _ADVERSARY if leakage["adversary"] else ():
        yield label, style, leakage["adversary"][key]


def _strongest_rows(leakage: Mapping[str, Any], what: str) -> Iterator[tuple[str, NumberFormat, AnyEstimate]]:
    for code, label in _CODES.items():
        found = leakage.get(f"{what}_in_{code}")
        if found is not None:
            yield label, PERCENT, found["strongest"]


def _identity_title(leakage: Mapping[str, Any]) -> str:
    known = leakage.get("identity")
    if known is None:
        return "Person named from"
    return f"Person named, one of {known['people']}, from"


def _auc_rows(retention: Mapping[str, Any]) -> Iterator[tuple[str, NumberFormat, AnyEstimate]]:
    for code, label in _CODES.items():
        if retention[f"identity_auc_{code}"] is not None:
            yield f"people, from {label}", DECIMAL, retention[f"identity_auc_{code}"]
    if retention["normalised"] is not None:
        yield "rest as a share of the trunk's", NumberFormat(digits=2), retention["normalised"]
    if retention["same_expression_auc"] is not None:
        yield "expressions, from expression code", DECIMAL, retention["same_expression_auc"]


def _embedding_rows(retention: Mapping[str, Any]) -> Iterator[tuple[str, NumberFormat, AnyEstimate]]:
    for code in ("rest", "expression", "random"):
        if retention[f"embedding_r2_{code}"] is not None:
            yield _CODES[code], DECIMAL, retention[f"embedding_r2_{code}"]


def _verification(retention: Mapping[str, Any]) -> RenderableType:
    """Error rates side by side, without intervals, which are in the record."""
    table = _frame("Recognised across expressions")
    table.add_column("", min_width=24)
    for _, name in _VERIFICATION:
        table.add_column(name, justify="right", no_wrap=True)
    chance: list[str] = []
    for code, label in _CODES.items():
        figures = [(key, retention[f"{key}_{code}"]) for key, _ in _VERIFICATION]
        if figures[0][1] is not None:
            table.add_row(label, *(_rate(key).value(figure) for key, figure in figures))
            chance = [_rate(key).chance(figure) for key, figure in figures]
    table.add_row("chance", *chance)
    return Padding(table, (0, 0, 1, 0))


def _rate(key: str) -> NumberFormat:
    return DECIMAL if key == "identity_auc" else PERCENT


def _factors(factors: Mapping[str, Any]) -> RenderableType:
    """The scores of every known factor; 1 clean, 0 both codes tell it, negative the wrong code does."""
    table = _frame("Known factors: 1 in its own code alone, 0 in both or none, -1 in the other")
    table.add_column("")
    for name in _SCORES:
        table.add_column(name.replace("_", "-").replace("mig", "MIG").replace("sap", "SAP").replace("dci", "DCI"))
    for name in (name for name in factors if name != "all"):
        values = (factors[name].get(key) for key in _SCORES)
        table.add_row(name, *(MISSING if value is None else f"{value:.3f}" for value in values))
    return Padding(table, (0, 0, 1, 0))


def _informativeness(result: Mapping[str, Any]) -> RenderableType:
    """Every code and every known factor: who tells what, on faces of people that no probe has seen."""
    leakage, scores = result["leakage"], result["factors"]
    known = [name for name in scores if name not in ("all", "expression") and scores[name].get("score")]
    table = _frame("What each code tells (accuracy of a class, R2 of a number)")
    for name in ("", "expression", *(("identity",) if leakage.get("identity") else ()), *known):
        table.add_column(name)
    for code in scores.get("expression", {}).get("score") or ():
        both = (leakage.get(f"{what}_in_{code}") for what in ("expression", "identity"))
        named = [found for found in both if found]
        numbers = (DECIMAL.value({"value": scores[name]["score"][code]}) for name in known)
        table.add_row(code, *(PERCENT.value(found["strongest"]) for found in named), *numbers)
    return Padding(table, (0, 0, 1, 0))


def _protocol(found: ProtocolResults) -> RenderableType:
    """Published accuracies of the same protocol around ours."""
    table = _frame(found.title)
    table.add_column("", min_width=24)
    table.add_column("accuracy", justify="right", no_wrap=True)
    table.add_column("source", overflow="fold")
    for row in found.rows:
        table.add_row(row.name, f"{row.accuracy:.2f} %", row.source, style="bold" if row.is_this_run else "")
    return Padding(table, (0, 0, 1, 0))


def _table(title: str, rows: Iterator[tuple[str, NumberFormat, AnyEstimate]]) -> RenderableType:
    table = _frame(title)
    table.add_column("", min_width=24)
    for name in ("value", "interval", "chance", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for label, style, figure in rows:
        n = None if figure is None else figure["n"]
        table.add_row(label, style.value(figure), style.interval(figure), style.chance(figure), integer(n))
    return Padding(table, (0, 0, 1, 0)) if table.rows else Text()


def _confusion(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> RenderableType:
    table = _frame("True expression (row) and predicted one (column)", gap=1)
    table.add_column("")
    for name in classes:
        table.add_column(name[:_ABBREVIATION], justify="right", no_wrap=True)
    for number, (name, row) in enumerate(zip(classes, counts, strict=True)):
        cells = [Text(f"{cell:,}", "bold" if column == number else "") for column, cell in enumerate(row)]
        table.add_row(name, *cells)
    return Padding(table, (0, 0, 1, 0))


def _collapse(codes: Mapping[str, Any]) -> RenderableType:
    table = _frame("Does the code say anything at all?")
    table.add_column("")
    for name in ("numbers", "effective rank", "dead", "mean cosine", "variance"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, signs in codes.items():
        if signs is None:
            continue
        rank, dead, cosine = (signs[key] for key in ("effective_rank", "dead_share", "mean_cosine"))
        variance = signs["total_variance"]["value"]
        table.add_row(
            name,
            str(signs["size"]),
            NumberFormat(digits=1).value(rank),
            PERCENT.value(dead),
            DECIMAL.with_interval(cosine),
            MISSING if variance is None else f"{variance:.3g}",
        )
    return Padding(table, (0, 0, 1, 0))


def _left_out(result: Mapping[str, Any]) -> Iterator[str]:
    if result["left_out"]:
        names = ", ".join(f"{n:,} {name}" for name, n in result["left_out"].items())
        yield f"left out, because the model does not know the expression: {names}"


def _listed(title: str, sentences: Sequence[str]) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), title=title, title_justify="left")
    table.title_style = "bold"
    for sentence in sentences:
        table.add_row("-", Text(sentence))
    return Padding(table, (0, 0, 1, 0))


def _frame(title: str, gap: int = 2) -> Table:
    return Table(
        box=None,
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        padding=(0, gap, 0, 0),
    )
