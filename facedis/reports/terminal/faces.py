"""Terminal reports of a faces cache: summary, verification and repacking."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from facedis.reports.numbers import count
from facedis.reports.terminal.align import splits_table, status_table

_SOURCES = {
    "same": "The source is unchanged since the cache was made.",
    "changed": "The source has changed since the cache was made, or is not readable.",
    "absent": "The source no longer exists.",
}
#: Number of changed images that are listed.
_LISTED = 5


def render_summary(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Render a record of kind "faces"."""
    colour = "greyscale" if result["grey"] else "colour"
    size = f"{count(result['n'], 'face')} of {result['size']} px, {colour}, {result['bytes'] / 1e6:,.1f} MB"
    yield Text(f"{result['faces']}: {size}", style="bold")
    yield status_table(result)
    yield splits_table(result["splits"])
    people = ", ".join(f"{number:,} in {split}" for split, number in result["people_in"].items() if number)
    if people:
        yield Text(f"people: {result['identities']:,} ({people})")
    yield Text(f"source: {result['source']}, dataset {result['dataset']}")
    yield Text(f"crop: {result['crop']}, margin {result['margin']:g}, detector {result['detector']}")
    yield Text(f"created by facedis {result['made_by']}, fingerprint {result['fingerprint'][:12]}")


def render_verification(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Render a record of kind "verification"."""
    table = Table("check", "failed rows")
    table.columns[1].justify = "right"
    for check in result["checks"]:
        table.add_row(check["what"], f"{check['bad']:,}", style="red" if check["bad"] else "")
    yield table
    yield Text(_SOURCES[result["source"]])
    if result["changed_images"] is not None:
        names = f" ({', '.join(result['changed_first'][:_LISTED])})" if result["changed_images"] else ""
        yield Text(f"images that now give a different face: {result['changed_images']:,}{names}")
    verdict = "intact" if result["whole"] else "damaged"
    yield Text(f"{result['faces']}: {verdict}, {count(result['rows'], 'row')}", style="bold")


def render_packing(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Render a record of kind "packing"."""
    before, after = (result[name] / 1e6 for name in ("before", "after"))
    stored = f"{count(result['rows'], 'row')} as {result['storage']}"
    yield Text(f"Written: {result['output']} ({stored}, {after:,.1f} MB, before {before:,.1f} MB)")
