"""A faces cache and its verification as readable pages."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from facedis.reports.terminal.align import splits_table, status_table

_SOURCES = {
    "same": "The source is as it was when the cache was made.",
    "changed": "The source has changed since the cache was made, or cannot be read as it was.",
    "absent": "The source is not there any more.",
}

#: Changed images that the page names.
_NAMED = 5


def render_summary(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The page of a record of kind "faces", piece by piece."""
    colour = "grey" if result["grey"] else "colour"
    size = f"{result['n']:,} faces of {result['size']} px, {colour}, {result['bytes'] / 1e6:,.1f} MB"
    yield Text(f"{result['faces']}: {size}", style="bold")
    yield status_table(result)
    yield splits_table(result)
    people = ", ".join(f"{number:,} in {split}" for split, number in result["people_in"].items() if number)
    if people:
        yield Text(f"people: {result['identities']:,} ({people})")
    yield Text(f"source: {result['source']}, read as {result['dataset']}")
    yield Text(f"crop {result['crop']}, margin {result['margin']:g}, detector {result['detector']}")
    yield Text(f"made by facedis {result['made_by']}, fingerprint {result['fingerprint'][:12]}")


def render_verification(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The page of a record of kind "verification", piece by piece."""
    table = Table("what must hold", "bad rows")
    table.columns[1].justify = "right"
    for check in result["checks"]:
        table.add_row(check["what"], f"{check['bad']:,}", style="red" if check["bad"] else "")
    yield table
    yield Text(_SOURCES[result["source"]])
    if result["changed_images"] is not None:
        first = ", ".join(result["changed_first"][:_NAMED])
        yield Text(f"images that would give another face today: {result['changed_images']:,} {first}".rstrip())
    verdict = "whole" if result["whole"] else "damaged"
    yield Text(f"{result['faces']}: {verdict}, {result['rows']:,} rows", style="bold")


def render_packing(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The page of a record of kind "packing"."""
    before, after = (result[name] / 1e6 for name in ("before", "after"))
    stored = f"{result['rows']:,} rows as {result['storage']}"
    yield Text(f"Written: {result['output']} ({stored}, {after:,.1f} MB, before {before:,.1f} MB)")
