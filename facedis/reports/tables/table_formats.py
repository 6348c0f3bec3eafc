"""A table of text in the forms that papers and programs want: Markdown, LaTeX, CSV."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Attributes:
        title: Said above it.
        header: Names of the columns.
        rows: As many texts a row as there are columns.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def to_markdown(table: TextTable) -> str:
    """A pipe table with its title above; all columns but the first are right-aligned."""
    lines = [markdown_row(table.header), markdown_row([":--", *["--:"] * (len(table.header) - 1)])]
    return "\n".join([table.title, "", *lines, *(markdown_row(row) for row in table.rows)]) + "\n"


def to_latex(table: TextTable) -> str:
    """A `tabular` with the rules of booktabs, in a `table` with the title as its caption."""
    lines = [
        "\\begin{table}",
        f"\\caption{{{_latex_escape(table.title)}}}",
        f"\\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
        "\\toprule",
        _latex_row(table.header),
        "\\midrule",
        *(_latex_row(row) for row in table.rows),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def to_csv(table: TextTable) -> str:
    """Header and rows as CSV; the title is left out."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([table.header, *table.rows])
    return stream.getvalue()


#: By the name of the option.
TABLE_FORMATS: dict[str, Callable[[TextTable], str]] = {"markdown": to_markdown, "latex": to_latex, "csv": to_csv}


def markdown_row(cells: Sequence[str]) -> str:
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


def _latex_escape(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(map(_latex_escape, cells)) + " \\\\"
