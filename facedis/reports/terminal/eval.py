"""Terminal report of an evaluation: findings and caveats first, then the tables."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from facedis.reports.console import borderless, sentences, spaced, text_table
from facedis.reports.evaluation_tables import (
    caveats,
    classification_tables,
    code_tables,
    collapse_table,
    confusion_table,
    factor_tables,
    verification_summary,
)
from facedis.reports.findings import findings
from facedis.reports.numbers import count
from facedis.reports.published_results import ProtocolResults, matching_protocols

#: Letters of a class name above a column of the confusion matrix.
_ABBREVIATION = 7


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Render a record of kind "evaluation"."""
    heading = Text(f"{result['model']} on {result['faces']}\n", "bold")
    faces = count(result["n"], "face")
    heading.append(f"split {result['split']}, {faces}, seed {result['seed']}, 95 % intervals\n", "dim")
    yield heading
    yield from sentences("Findings", findings(result))
    yield from sentences("Caveats", caveats(result))
    yield from map(text_table, classification_tables(result))
    yield _confusion(result)
    yield from map(text_table, code_tables(result))
    yield from map(text_table, verification_summary(result["retention"]))
    yield from (text_table(table, first=0) for table in factor_tables(result))
    yield text_table(collapse_table(result["collapse"]), first=0)
    yield from map(_protocol, matching_protocols(result))
    if "output" in result:
        yield Text(f"Written: {result['output']}/result.json, confusion.png")
    if "page" in result:
        yield Text(f"HTML page: {result['page']}")


def _confusion(result: Mapping[str, Any]) -> RenderableType:
    """The confusion matrix with abbreviated column names, so that eight classes fit 80 columns."""
    matrix = confusion_table(result)
    table = borderless(matrix.title, gap=1)
    for number, name in enumerate(matrix.header):
        table.add_column(name[:_ABBREVIATION], justify="right" if number else "left", no_wrap=bool(number))
    for number, row in enumerate(matrix.rows, 1):
        table.add_row(*(Text(cell, "bold" if column == number else "") for column, cell in enumerate(row)))
    return spaced(table)


def _protocol(found: ProtocolResults) -> RenderableType:
    """Published accuracies with this run among them."""
    table = borderless(found.title)
    table.add_column("", min_width=24)
    table.add_column("accuracy", justify="right", no_wrap=True)
    table.add_column("source", overflow="fold")
    for row in found.rows:
        table.add_row(row.name, f"{row.accuracy:.2f} %", row.source, style="bold" if row.is_this_run else "")
    return spaced(table)
