"""The ablation table: the paper's columns, ours beside them, then what the paper did not measure."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from facedis.reports.numbers import ABSENT, DECIMAL, PERCENT


def page(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Rich renderables of a record of kind "ablation"."""
    title = f"{result['dataset']}, split {result['split']}, n {result['n']:,}, chance {1 / len(result['classes']):.1%}"
    table = Table(title=title)
    for name in (
        "",
        "paper C_exp",
        "paper C_adv",
        "C_exp",
        "C_adv trained along",
        "fresh probe on rest",
        "rank of rest",
    ):
        table.add_column(name, justify="left" if not name else "right")
    for row in result["rows"]:
        table.add_row(*_cells(row))
    yield table
    yield "The paper's numbers are AffectNet's; compare the rows of one column, not the columns."
    yield from _sentences(result["rows"])


def _cells(row: Mapping[str, Any]) -> Iterator[str]:
    paper, rest = row["paper"], row["leakage"]["expression_in_rest"]
    collapse = row["collapse"]["rest"]
    yield row["name"]
    yield _share(paper["c_exp"])
    yield _share(paper["c_adv"])
    yield PERCENT.short(row["task"]["accuracy"])
    yield PERCENT.short(rest["adversary"]) if rest else ABSENT
    yield PERCENT.short(rest["linear"]) if rest else ABSENT
    yield DECIMAL.value(collapse["effective_rank"]) if collapse else ABSENT


def _share(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.2%}".replace(".00", "")


def _sentences(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        rest = row["leakage"]["expression_in_rest"]
        if rest and rest["linear"]:
            yield (
                f"{row['name']}: its own adversary reads the expression from the rest code in "
                f"{PERCENT.short(rest['adversary'])}, a fresh probe in {PERCENT.judged(rest['linear'])}."
            )
