"""Terminal report of a training."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from facedis.reports.numbers import PERCENT, count


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Render a record of kind "training"."""
    title = f"Trained on {count(result['n'], 'face')} for {count(result['epochs'], 'epoch')}"
    table = Table(title=title, show_header=False)
    names = {"expression_accuracy": "C_exp accuracy (val)", "adversary_accuracy": "C_adv accuracy (val)"}
    for key, name in names.items():
        if key in result["final"]:
            table.add_row(name, PERCENT.full(result["final"][key]))
    table.add_row("checkpoint", f"epoch {result['kept'] + 1}")
    table.add_row("speed", f"{result['rate']:.0f} images/s, {result['seconds'] / 60:.1f} min")
    table.add_row("run", result["model"])
    yield table
    if "adversary_accuracy" in result["final"]:
        yield "A low C_adv accuracy does not rule out leakage; `facedis eval` measures it with newly trained probes."
