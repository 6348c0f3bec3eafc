"""A table of text, and its Markdown, LaTeX and CSV forms."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Attributes:
        title: Title of the table.
        header: Column names.
        rows: One tuple per row, with one text per column.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def to_markdown(table: TextTable) -> str:
    """A pipe table below its title; all columns but the first are right-aligned."""
    rule = [":--", *["--:"] * (len(table.header) - 1)]
    return "\n".join([table.title, "", *map(markdown_row, (table.header, rule, *table.rows))]) + "\n"


def to_latex(table: TextTable) -> str:
    """A booktabs `tabular` in a `table` environment, with the title as its caption."""
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
    """Header and rows as CSV, without the title."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([table.header, *table.rows])
    return stream.getvalue()


#: Writers by the name of the format.
TABLE_FORMATS: dict[str, Callable[[TextTable], str]] = {"markdown": to_markdown, "latex": to_latex, "csv": to_csv}


def markdown_row(cells: Sequence[str]) -> str:
    """One row of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


_LATEX_ESCAPES = {sign: f"\\{sign}" for sign in "&%$#_{}"} | {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "–": "--",
    "±": "$\\pm$",
    "²": "$^2$",
    "[": "{[}",  # at the start of a row it would be an argument of the preceding line break
}


def _latex_escape(text: str) -> str:
    return "".join(_LATEX_ESCAPES.get(sign, sign) for sign in text)


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(map(_latex_escape, cells)) + " \\\\"
