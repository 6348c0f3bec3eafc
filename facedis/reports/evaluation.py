"""An evaluation as one readable page: tables first, then what they mean in plain sentences."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from facedis.reports.claims import claims
from facedis.reports.numbers import ABSENT, DECIMAL, NATS, PERCENT, AnyFigure, Style, count

_TASK = (
    ("accuracy", "accuracy", PERCENT),
    ("balanced accuracy", "balanced_accuracy", PERCENT),
    ("macro-F1", "macro_f1", PERCENT),
    ("always the most frequent", "majority_rate", PERCENT),
    ("calibration error", "ece", PERCENT),
    ("log loss", "nll", NATS),
)
_LEAKAGE = (
    ("rest: adversary trained along", ("expression_in_rest", "adversary"), PERCENT),
    ("rest: fresh linear probe", ("expression_in_rest", "linear"), PERCENT),
    ("rest: strongest of these", ("expression_in_rest", "strongest"), PERCENT),
    ("rest: as a share of the trunk's", ("expression_in_rest", "normalised"), Style(digits=2)),
    ("expression code: linear probe", ("expression_in_expression", "linear"), PERCENT),
    ("trunk features: linear probe", ("expression_in_trunk", "linear"), PERCENT),
    ("adversary: most frequent answer", ("adversary", "majority_share"), PERCENT),
    ("adversary: entropy, 1 undecided", ("adversary", "entropy"), DECIMAL),
    ("adversary: loss above its least", ("adversary", "confusion_excess"), NATS),
)
_RETENTION = (
    ("people, from rest code", "identity_auc_rest"),
    ("people, from expression code", "identity_auc_expression"),
    ("people, from trunk features", "identity_auc_trunk"),
    ("expressions, from expression code", "same_expression_auc"),
)
#: Letters of an expression at the head of a narrow column.
_SHORT = 7


def page(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The page of a record of kind "evaluation", piece by piece."""
    yield _heading(result)
    yield from (_table("Expression", _task_rows(result)), _table("Recall of each expression", _recall_rows(result)))
    yield _confusion(result["confusion"], result["classes"])
    yield _table("Expression read from", _leakage_rows(result))
    yield _table("Told apart by cosine (AUC)", _retention_rows(result))
    yield _collapse(result["collapse"])
    yield _listed("What this says", claims(result))
    remarks = [*result["notes"], *_left_out(result), *dict.fromkeys(result["reasons"].values())]
    if remarks:
        yield _listed("To know", remarks)
    if "output" in result:
        yield Text(f"Written: {result['output']}/result.json, confusion.png")


def _heading(result: Mapping[str, Any]) -> Text:
    text = Text()
    text.append(f"{result['model']} on {result['faces']}\n", "bold")
    text.append(f"split {result['split']}, {result['n']:,} faces, seed {result['seed']}, intervals of 95 %\n", "dim")
    return text


def _task_rows(result: Mapping[str, Any]) -> Iterator[tuple[str, Style, AnyFigure]]:
    for label, key, style in _TASK:
        yield label, style, result["task"][key]


def _recall_rows(result: Mapping[str, Any]) -> Iterator[tuple[str, Style, AnyFigure]]:
    for name, figure in result["recall"].items():
        yield name, PERCENT, figure


def _leakage_rows(result: Mapping[str, Any]) -> Iterator[tuple[str, Style, AnyFigure]]:
    for label, (group, key), style in _LEAKAGE:
        figures = result["leakage"][group]
        if figures is not None:
            yield label, style, figures[key]


def _retention_rows(result: Mapping[str, Any]) -> Iterator[tuple[str, Style, AnyFigure]]:
    for label, key in _RETENTION:
        if result["retention"][key] is not None:
            yield label, DECIMAL, result["retention"][key]


def _table(title: str, rows: Iterator[tuple[str, Style, AnyFigure]]) -> RenderableType:
    table = _frame(title)
    table.add_column("", min_width=24)
    for name in ("value", "interval", "chance", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for label, style, figure in rows:
        n = None if figure is None else figure["n"]
        table.add_row(label, style.value(figure), style.interval(figure), style.chance(figure), count(n))
    return Padding(table, (0, 0, 1, 0)) if table.rows else Text()


def _confusion(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> RenderableType:
    table = _frame("True expression (row) and predicted one (column)", gap=1)
    table.add_column("")
    for name in classes:
        table.add_column(name[:_SHORT], justify="right", no_wrap=True)
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
            Style(digits=1).value(rank),
            PERCENT.value(dead),
            DECIMAL.short(cosine),
            ABSENT if variance is None else f"{variance:.3g}",
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
