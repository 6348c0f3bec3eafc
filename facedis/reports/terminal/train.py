"""The training record as a reader wants it: what was reached, where it lies, what to do next."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from facedis.reports.numbers import PERCENT


def render(result: Mapping[str, Any]) -> Iterator[Any]:
    """Rich renderables of a record of kind "training"."""
    table = Table(title=f"Trained on {result['n']:,} faces, {result['epochs']} epochs", show_header=False)
    for name, key in (("C_exp on val", "expression_accuracy"), ("C_adv on val (trained along)", "adversary_accuracy")):
        if key in result["final"]:
            table.add_row(name, PERCENT.full(result["final"][key]))
    table.add_row("kept", f"epoch {result['kept'] + 1}")
    table.add_row("speed", f"{result['rate']:.0f} images/s, {result['seconds'] / 60:.1f} minutes")
    table.add_row("run", result["model"])
    yield table
    if "adversary_accuracy" in result["final"]:
        yield "A low C_adv does not mean that the rest code is clean: `facedis eval` asks a fresh probe."
