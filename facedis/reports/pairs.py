"""Similarity records as tables."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table


def similarity_page(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Rich renderables of a record of kind "similarity"."""
    for pair in result["pairs"]:
        table = Table(title=f"{Path(pair['image1']).name}  –  {Path(pair['image2']).name}")
        for name in ("code", "cosine", "above pairs of the same expression", "above pairs of different expressions"):
            table.add_column(name, justify="left" if name == "code" else "right")
        for code in ("expression", "rest", "trunk"):
            if pair[code] is not None:
                shares = (_share(pair[code][f"percentile_{kind}"]) for kind in ("same", "different"))
                table.add_row(code, f"{pair[code]['cosine']:.3f}", *shares)
        yield table
        first, second = (f"{face['expression']} ({face['probability']:.0%})" for face in pair["predicted"])
        yield f"C_exp sees {first} and {second}."
    if result["reference"] is None:
        yield "The run's faces have no val split, so there is nothing to place these cosines in."
    else:
        known = result["reference"]
        yield f"Placed among pairs of different people of the run's split {known['split']}, {known['n']:,} faces."


def _share(percentile: float | None) -> str:
    return "–" if percentile is None else f"{percentile:.0f} %"
