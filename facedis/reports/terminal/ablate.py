"""The ablation table: the paper's columns, ours beside them, then what the paper did not measure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich.console import RenderableType
from rich.table import Table

from facedis.metrics.statistics.comparison import seed_summary
from facedis.reports.numbers import DECIMAL, MISSING, PERCENT, NumberFormat
from facedis.reports.tables.table_formats import TextTable

Row = Mapping[str, Any]


class Column(NamedTuple):
    """A column: its name, how its numbers are written, and where a row has its figure."""

    name: str
    style: NumberFormat
    figure: Callable[[Row], Mapping[str, Any] | None]


def _rest(row: Row, key: str) -> Mapping[str, Any] | None:
    return (row["leakage"]["expression_in_rest"] or {}).get(key)


#: What the paper measures, measured here.
PAPER_COLUMNS = (
    Column("C_exp", PERCENT, lambda row: row["task"]["accuracy"]),
    Column("C_adv", PERCENT, lambda row: _rest(row, "adversary")),
)
#: What it does not.
ADDED_COLUMNS = (
    Column("strongest probe on rest", PERCENT, lambda row: _rest(row, "strongest")),
    Column("bits in rest", NumberFormat(digits=2), lambda row: _rest(row, "bits")),
    Column("people in rest (AUC)", DECIMAL, lambda row: row["retention"].get("identity_auc_rest")),
    Column("trunk kept in rest (R²)", DECIMAL, lambda row: row["retention"].get("embedding_r2_rest")),
    Column(
        "people in expression",
        PERCENT,
        lambda row: (row["leakage"].get("identity_in_expression") or {}).get("strongest"),
    ),
    Column("rank of rest", NumberFormat(digits=1), lambda row: (row["collapse"]["rest"] or {}).get("effective_rank")),
)


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Rich renderables of a record of kind "ablation"."""
    found = text_table(result)
    table = Table(title=found.title)
    for number, name in enumerate(found.header):
        table.add_column(name, justify="right" if number else "left")
    for row in found.rows:
        table.add_row(*row)
    yield table
    if _in_paper(result["rows"]):
        yield "The paper's numbers are AffectNet's; compare the rows of one column, not the columns."
    yield from _sentences(result["rows"])


def text_table(result: Mapping[str, Any]) -> TextTable:
    """The table as text: one row a variant, with interval, or mean and deviation over several seeds.

    Columns that no row has a number for are left out.
    """
    rows = _variants(result["rows"])
    columns = [
        *PAPER_COLUMNS,
        *(c for c in ADDED_COLUMNS if any(c.figure(row) for group in rows.values() for row in group)),
    ]
    printed = ("paper C_exp", "paper C_adv") if _in_paper(result["rows"]) else ()
    header = ("", *printed, *(column.name for column in columns), "p against the first")
    title = f"{result['dataset']}, split {result['split']}, n {result['n']:,}, chance {1 / len(result['classes']):.1%}"
    seeds = max(map(len, rows.values()))
    if seeds > 1:
        title += f", mean ± deviation over {seeds} seeds"
    return TextTable(title, header, tuple(_cells(name, group, columns, bool(printed)) for name, group in rows.items()))


def _variants(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each variant, one a seed."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    return found


def _in_paper(rows: Sequence[Row]) -> bool:
    """Whether the paper prints a number for any row; for those of a grid file it need not."""
    return any(row["paper"] for row in rows)


def _cells(name: str, group: Sequence[Row], columns: Sequence[Column], printed: bool) -> tuple[str, ...]:
    paper = tuple(_percent(group[0]["paper"].get(key)) for key in ("c_exp", "c_adv")) if printed else ()
    measured = [_cell([column.figure(row) for row in group], column.style) for column in columns]
    return (name, *paper, *measured, _p_values(group))


def _cell(figures: Sequence[Mapping[str, Any] | None], style: NumberFormat) -> str:
    known = [figure for figure in figures if figure is not None and figure["value"] is not None]
    if not known:
        return MISSING
    if len(known) == 1:
        return style.with_interval(known[0])
    found = seed_summary([figure["value"] for figure in known])
    written = style.value({"value": found.mean}).removesuffix(style.unit)
    return f"{written} ± {style.value({'value': found.sd})}"


def _p_values(group: Sequence[Row]) -> str:
    """McNemar's p of every seed; nothing of the variant that all are compared with."""
    found = [row["against_first"]["p"] for row in group if row.get("against_first")]
    return ", ".join(f"{p:.3f}" if p >= 0.001 else "<0.001" for p in found) or MISSING


def _percent(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2%}".replace(".00", "")


def _sentences(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        rest = row["leakage"]["expression_in_rest"]
        if rest and rest["strongest"] and rest["adversary"]:
            seed = f", seed {row['seed']}" if len(_variants(rows)[row["name"]]) > 1 else ""
            yield (
                f"{row['name']}{seed}: its own adversary reads the expression from the rest code in "
                f"{PERCENT.with_interval(rest['adversary'])}, the strongest probe in {PERCENT.with_chance(rest['strongest'])}."
            )
