"""An alignment as one readable page: what became of the images, and who is where."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

_MEANINGS = {
    "ok": "one face",
    "several": "several faces, one taken",
    "whole": "no face, taken whole",
    "no_face": "no face found",
    "unreadable": "not a readable image",
    "too_small": "too small",
    "too_large": "too large",
    "missing": "not there",
    "pending": "not worked on yet",
}
#: Problem rows that are shown; the record lists more and the cache has all.
_SHOWN = 5


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The page of a record of kind "alignment", piece by piece."""
    yield Text("What became of the images", style="bold")
    yield status_table(result)
    people = f", {result['identities']:,} people" if result["identities"] else ""
    yield Text(f"Faces of each expression{people}", style="bold")
    yield splits_table(result)
    for problem in result["problems"][:_SHOWN]:
        yield Text(f"  {problem['status']}: {problem['image']}", style="yellow")
    left = result["rows"] - result["n"] - _SHOWN
    if left > 0:
        yield Text(f"  and {left:,} more rows without a face", style="yellow")
    if result.get("skipped"):
        yield Text(f"  and {result['skipped']:,} rows of the dataset that were skipped", style="yellow")
    rate = "" if result["rate"] is None else f", {result['rate']:.1f} images a second"
    yield Text(f"Written: {result['output']} ({result['n']:,} faces of {result['size']} px{rate})")


def status_table(result: Mapping[str, Any]) -> Table:
    """How many rows have each status, of a record with `status` and `rows`."""
    table = Table("images", "rows", "share")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, meaning in _MEANINGS.items():
        if number := result["status"].get(name, 0):
            table.add_row(meaning, f"{number:,}", f"{number / result['rows']:.1%}")
    table.add_section()
    table.add_row("all", f"{result['rows']:,}", "")
    return table


def splits_table(result: Mapping[str, Any]) -> Table:
    """The faces of each expression in each split, of a record with `splits`."""
    splits = result["splits"]
    table = Table("expression")
    for split in splits:
        table.add_column(split, justify="right")
    for name in dict.fromkeys(name for counts in splits.values() for name in counts):
        table.add_row(name, *(f"{counts.get(name, 0):,}" for counts in splits.values()))
    table.add_section()
    table.add_row("all", *(f"{sum(counts.values()):,}" for counts in splits.values()))
    return table
