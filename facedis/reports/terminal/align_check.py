"""Terminal report of a dataset check: counts, problems and their usual causes."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from facedis.reports.numbers import count
from facedis.reports.terminal.align import splits_table

#: Number of examples that are listed of each problem.
_LISTED = 5


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Render a record of kind "check"."""
    images = count(result["rows"], "cropped face" if result["cropped"] else "image")
    people = f", {count(result['people'], 'person', 'people')}" if result["people"] else ""
    yield Text(f"{result['source']}: dataset {result['dataset']}, {images}{people}", style="bold")
    yield splits_table(result["splits"], {"none": "no split"})
    if result["counts"]:
        yield _counts(result)
    else:
        yield Text("No published counts to compare with.")
    yield from _problems(result)
    for finding in result["findings"]:
        yield Text(f"- {finding}")


def _counts(result: Mapping[str, Any]) -> Table:
    table = Table("count of", "found", "published", "")
    for column in table.columns[1:3]:
        column.justify = "right"
    for row in result["counts"]:
        published = " or ".join(f"{number:,}" for number in row["published"])
        table.add_row(row["what"], f"{row['found']:,}", published, "" if row["agrees"] else "differs")
    return table


def _problems(result: Mapping[str, Any]) -> Iterator[Text]:
    duplicates, people, pairs = result["duplicates"], result["people_across"], result["pairs"]
    yield Text("images: " + ", ".join(f"{number:,} {status}" for status, number in result["images"].items()))
    for problem in result["problems"][:_LISTED]:
        yield Text(f"  {problem['status']}: {problem['image']}", style="yellow")
    yield Text(f"skipped rows: {result['skipped']:,}")
    for reason in result["reasons"]:
        place = f"{reason['file']}, line {reason['line']}" if reason["line"] else reason["file"]
        yield Text(f"  {reason['count']:,}: {reason['why']} (first: {place})", style="yellow")
    yield Text(
        f"duplicate images: {duplicates['images']:,}, {duplicates['across_splits']:,} of them across splits, "
        f"{duplicates['contradicting']:,} with different expressions"
    )
    for first, second in duplicates["pairs"][:_LISTED]:
        yield Text(f"  {first} = {second}", style="yellow")
    if result["people"]:
        names = f" ({', '.join(people['names'][:_LISTED])})" if people["names"] else ""
        yield Text(f"people in several splits: {people['people']:,}{names}")
    if pairs is not None:
        missing = f", {pairs['absent']:,} with missing images" if pairs["absent"] else ""
        yield Text(f"pairs: {pairs['genuine']:,} genuine, {pairs['impostor']:,} impostor{missing}")
