"""Terminal report of an ablation: the columns of Table 2 plus leakage by probes and identity retention."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich.console import RenderableType
from rich.table import Table

from facedis.metrics.statistics.comparison import seed_summary
from facedis.reports.numbers import DECIMAL, MISSING, PERCENT, RATIO, NumberFormat, count
from facedis.reports.tables.table_formats import TextTable

Row = Mapping[str, Any]


class Column(NamedTuple):
    """A column: its name, the format of its numbers, and the function that takes the estimate from a row."""

    name: str
    style: NumberFormat
    estimate: Callable[[Row], Mapping[str, Any] | None]


def _rest(row: Row, key: str) -> Mapping[str, Any] | None:
    return (row["leakage"]["expression_in_rest"] or {}).get(key)


def _identity(row: Row) -> Mapping[str, Any] | None:
    return (row["leakage"].get("identity_in_expression") or {}).get("strongest")


#: Metrics of the paper.
PAPER_COLUMNS = (
    Column("C_exp", PERCENT, lambda row: row["task"]["accuracy"]),
    Column("C_adv", PERCENT, lambda row: _rest(row, "adversary")),
)
#: Metrics that the paper does not report.
ADDED_COLUMNS = (
    Column("best probe on rest", PERCENT, lambda row: _rest(row, "strongest")),
    Column("bits in rest", RATIO, lambda row: _rest(row, "bits")),
    Column("identity in rest (AUC)", DECIMAL, lambda row: row["retention"].get("identity_auc_rest")),
    Column("trunk features in rest (R²)", DECIMAL, lambda row: row["retention"].get("embedding_r2_rest")),
    Column("identity in expression", PERCENT, _identity),
    Column("rank of rest", NumberFormat(digits=1), lambda row: (row["collapse"]["rest"] or {}).get("effective_rank")),
)


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Render a record of kind "ablation"."""
    rows = text_table(result)
    table = Table(title=rows.title)
    for number, name in enumerate(rows.header):
        table.add_column(name, justify="right" if number else "left")
    for row in rows.rows:
        table.add_row(*row)
    yield table
    if _in_paper(result["rows"]):
        yield "The paper's numbers were measured on AffectNet; compare rows within a column, not columns."
    yield from _sentences(result["rows"])


def text_table(result: Mapping[str, Any]) -> TextTable:
    """The table as text: one row per variant, with intervals, or with mean and deviation over several seeds.

    Columns without any number are left out.
    """
    variants = _variants(result["rows"])
    added = [column for column in ADDED_COLUMNS if any(column.estimate(row) for row in result["rows"])]
    columns = [*PAPER_COLUMNS, *added]
    published = _in_paper(result["rows"])
    header = (
        "",
        *(("paper C_exp", "paper C_adv") if published else ()),
        *(column.name for column in columns),
        "p against the first",
    )
    title = f"{result['dataset']}, split {result['split']}, n {result['n']:,}, chance {1 / len(result['classes']):.1%}"
    seeds = max(map(len, variants.values()))
    if seeds > 1:
        title += f", mean ± standard deviation over {count(seeds, 'seed')}"
    return TextTable(title, header, tuple(_cells(name, rows, columns, published) for name, rows in variants.items()))


def _variants(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each variant, one per seed."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    return found


def _in_paper(rows: Sequence[Row]) -> bool:
    """Whether the paper reports a number for any row; rows of a grid file may have none."""
    return any(row["paper"] for row in rows)


def _cells(name: str, rows: Sequence[Row], columns: Sequence[Column], published: bool) -> tuple[str, ...]:
    paper = tuple(_percent(rows[0]["paper"].get(key)) for key in ("c_exp", "c_adv")) if published else ()
    measured = [_cell([column.estimate(row) for row in rows], column.style) for column in columns]
    return (name, *paper, *measured, _p_values(rows))


def _cell(estimates: Sequence[Mapping[str, Any] | None], style: NumberFormat) -> str:
    known = [estimate for estimate in estimates if estimate is not None and estimate["value"] is not None]
    if not known:
        return MISSING
    if len(known) == 1:
        return style.with_interval(known[0])
    found = seed_summary([estimate["value"] for estimate in known])
    mean = style.value({"value": found.mean}).removesuffix(style.unit)
    return f"{mean} ± {style.value({'value': found.sd})}"


def _p_values(rows: Sequence[Row]) -> str:
    """McNemar's p of every seed; the first variant, which the others are compared with, has none."""
    found = [row["against_first"]["p"] for row in rows if row.get("against_first")]
    return ", ".join(f"{p:.3f}" if p >= 0.001 else "<0.001" for p in found) or MISSING


def _percent(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2%}".replace(".00", "")


def _sentences(rows: Sequence[Row]) -> Iterator[str]:
    variants = _variants(rows)
    for row in rows:
        rest = row["leakage"]["expression_in_rest"]
        if rest and rest["strongest"] and rest["adversary"]:
            seed = f", seed {row['seed']}" if len(variants[row["name"]]) > 1 else ""
            yield (
                f"{row['name']}{seed}: expression in the rest code: training adversary "
                f"{PERCENT.with_interval(rest['adversary'])}, best probe {PERCENT.with_chance(rest['strongest'])}."
            )
