"""A check of a dataset as one readable page: counts beside the published ones, problems, and what they mean."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

#: Examples of a problem that are shown.
_SHOWN = 5


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The page of a record of kind "check", piece by piece."""
    what = "cropped faces" if result["cropped"] else "photographs"
    people = f", {result['people']:,} people" if result["people"] else ""
    yield Text(f"{result['source']}: read as {result['dataset']}, {result['rows']:,} {what}{people}", style="bold")
    yield _splits(result)
    if result["counts"]:
        yield _counts(result)
    else:
        yield Text("No published numbers to compare with.")
    yield from _problems(result)
    for finding in result["findings"]:
        yield Text(f"- {finding}")


def _splits(result: Mapping[str, Any]) -> Table:
    splits = result["splits"]
    table = Table("rows")
    for split in splits:
        table.add_column("no split" if split == "none" else split, justify="right")
    for name in dict.fromkeys(name for counts in splits.values() for name in counts):
        table.add_row(name, *(f"{counts.get(name, 0):,}" for counts in splits.values()))
    table.add_section()
    table.add_row("all", *(f"{sum(counts.values()):,}" for counts in splits.values()))
    return table


def _counts(result: Mapping[str, Any]) -> Table:
    table = Table("number of", "found", "published", "")
    for column in table.columns[1:3]:
        column.justify = "right"
    for count in result["counts"]:
        published = " or ".join(f"{number:,}" for number in count["published"])
        table.add_row(count["what"], f"{count['found']:,}", published, "" if count["agrees"] else "differs")
    return table


def _problems(result: Mapping[str, Any]) -> Iterator[Text]:
    twins, people, pairs = result["duplicates"], result["people_across"], result["pairs"]
    yield Text("images: " + ", ".join(f"{number:,} {status}" for status, number in result["images"].items()))
    for problem in result["problems"][:_SHOWN]:
        yield Text(f"  {problem['status']}: {problem['image']}", style="yellow")
    yield Text(f"rows skipped: {result['skipped']:,}")
    for reason in result["reasons"]:
        place = f"{reason['file']}, line {reason['line']}" if reason["line"] else reason["file"]
        yield Text(f"  {reason['count']:,}: {reason['why']} (first: {place})", style="yellow")
    yield Text(
        f"equal images: {twins['images']:,}, {twins['across_splits']:,} of them across splits, "
        f"{twins['contradicting']:,} with another expression"
    )
    for first, second in twins["pairs"][:_SHOWN]:
        yield Text(f"  {first} = {second}", style="yellow")
    if result["people"]:
        names = f": {', '.join(people['names'][:_SHOWN])}" if people["names"] else ""
        yield Text(f"people in several splits: {people['people']:,}{names}")
    if pairs is not None:
        lacking = f", {pairs['absent']:,} without their images" if pairs["absent"] else ""
        yield Text(f"pairs: {pairs['genuine']:,} genuine, {pairs['impostor']:,} impostor{lacking}")
