"""A table of text in the forms that papers and programs want: Markdown, LaTeX, CSV."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """A table of text.

    Attributes:
        title: Said above it.
        header: Names of the columns.
        rows: As many texts a row as there are columns.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def markdown(grid: Grid) -> str:
    """A pipe table with its title above; all columns but the first are right-aligned."""
    lines = [piped(grid.header), piped([":--", *["--:"] * (len(grid.header) - 1)])]
    return "\n".join([grid.title, "", *lines, *(piped(row) for row in grid.rows)]) + "\n"


def latex(grid: Grid) -> str:
    """A `tabular` with the rules of booktabs, in a `table` with the title as its caption."""
    lines = [
        "\\begin{table}",
        f"\\caption{{{_escaped(grid.title)}}}",
        f"\\begin{{tabular}}{{l{'r' * (len(grid.header) - 1)}}}",
        "\\toprule",
        _ampersands(grid.header),
        "\\midrule",
        *(_ampersands(row) for row in grid.rows),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def comma_separated(grid: Grid) -> str:
    """Header and rows as CSV; the title is left out."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([grid.header, *grid.rows])
    return stream.getvalue()


#: By the name of the option.
FORMS: dict[str, Callable[[Grid], str]] = {"markdown": markdown, "latex": latex, "csv": comma_separated}


def piped(cells: Sequence[str]) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


_SPECIAL = {sign: f"\\{sign}" for sign in "&%$#_{}"} | {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "–": "--",
    "±": "$\\pm$",
    "²": "$^2$",
    "[": "{[}",  # at the start of a row it would be an argument of the line break before
}


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


def _ampersands(cells: Sequence[str]) -> str:
    return " & ".join(map(_escaped, cells)) + " \\\\"
