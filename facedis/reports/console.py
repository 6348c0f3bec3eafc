"""Parts of a terminal report: tables without borders, and lists of sentences."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from facedis.reports.tables.table_formats import TextTable


def borderless(title: str, gap: int = 2) -> Table:
    """An empty table without borders; `gap` spaces separate its columns."""
    return Table(
        box=None,
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        padding=(0, gap, 0, 0),
    )


def text_table(table: TextTable, gap: int = 2, first: int = 24) -> RenderableType:
    """A table without borders, followed by an empty line.

    Args:
        table: The table; all columns but the first are right-aligned.
        gap: Spaces between columns.
        first: Minimum width of the first column.
    """
    shown = borderless(table.title, gap)
    shown.add_column(table.header[0], min_width=first)
    for name in table.header[1:]:
        shown.add_column(name, justify="right", no_wrap=True)
    for row in table.rows:
        shown.add_row(*row)
    return spaced(shown)


def sentences(title: str, texts: Sequence[str]) -> list[RenderableType]:
    """A titled list of sentences, followed by an empty line; nothing if there is no sentence."""
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), title=title, title_justify="left")
    table.title_style = "bold"
    for text in texts:
        table.add_row("-", Text(text))
    return [spaced(table)] if texts else []


def spaced(part: RenderableType) -> RenderableType:
    """`part`, followed by an empty line."""
    return Padding(part, (0, 0, 1, 0))
