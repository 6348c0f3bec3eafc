"""Terminal report of an alignment."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from facedis.reports.numbers import count

_STATUSES = {
    "ok": "one face",
    "several": "several faces, one kept",
    "whole": "no face found, full image kept",
    "no_face": "no face found",
    "unreadable": "image unreadable",
    "too_small": "image too small",
    "too_large": "image too large",
    "missing": "file missing",
    "pending": "not processed yet",
}
#: Number of images without a face that are listed; the record lists more and the cache all.
_LISTED = 5


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Render a record of kind "alignment"."""
    yield Text("Alignment summary", style="bold")
    yield status_table(result)
    people = f", {count(result['identities'], 'person', 'people')}" if result["identities"] else ""
    yield Text(f"Faces per expression and split{people}", style="bold")
    yield splits_table(result["splits"])
    for problem in result["problems"][:_LISTED]:
        yield Text(f"  {_STATUSES[problem['status']]}: {problem['image']}", style="yellow")
    hidden = result["rows"] - result["n"] - _LISTED
    if hidden > 0:
        yield Text(f"  and {count(hidden, 'more image')} without a face", style="yellow")
    if result.get("skipped"):
        yield Text(f"  and {count(result['skipped'], 'dataset row')} skipped", style="yellow")
    rate = "" if result["rate"] is None else f", {result['rate']:.1f} images/s"
    yield Text(f"Written: {result['output']} ({count(result['n'], 'face')} of {result['size']} px{rate})")


def status_table(result: Mapping[str, Any]) -> Table:
    """Number of images with each status, of a record with `status` and `rows`."""
    table = Table("status", "images", "fraction")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, label in _STATUSES.items():
        if number := result["status"].get(name, 0):
            table.add_row(label, f"{number:,}", f"{number / result['rows']:.1%}")
    table.add_section()
    table.add_row("total", f"{result['rows']:,}", "")
    return table


def splits_table(splits: Mapping[str, Mapping[str, int]], labels: Mapping[str, str] | None = None) -> Table:
    """Counts of each expression in each split, with totals.

    Args:
        splits: For each split the count of each expression.
        labels: Column names of splits that differ from the split's name.
    """
    table = Table("expression")
    for split in splits:
        table.add_column((labels or {}).get(split, split), justify="right")
    for name in dict.fromkeys(name for counts in splits.values() for name in counts):
        table.add_row(name, *(f"{counts.get(name, 0):,}" for counts in splits.values()))
    table.add_section()
    table.add_row("total", *(f"{sum(counts.values()):,}" for counts in splits.values()))
    return table
