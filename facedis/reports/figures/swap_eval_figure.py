"""Judged swaps as one picture: each measure beside what it must be read against."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from facedis.atomic_io import atomic_write
from facedis.reports.figures.colours import COLOURS
from facedis.reports.terminal.swap_eval import figures

#: Panels: measure, title, the figures shown from top to bottom with their names.
_PANELS = (
    (
        "transfer",
        "wanted expression seen",
        {"real": "real faces", "reconstruction": "reconstructed", "swap": "swapped", "copying": "copying"},
    ),
    ("copy_rate", "old expression still seen", {"copying": "copying", "swap": "swapped", "real": "real faces"}),
    (
        "closer_to_rest_donor",
        "nearer to the rest donor",
        {"swap": "swapped", "other_pictures": "by other pictures"},
    ),
    (
        "verified_as_rest_donor",
        "passes as the rest donor",
        {"genuine": "same person", "reconstruction": "reconstructed", "swap": "swapped"},
    ),
    (
        "ssim",
        "SSIM to the truth",
        {"reconstruction": "reconstructed", "swap": "swapped", "copying": "copying", "mean_face": "mean face"},
    ),
)
_KINDS = {"across": "two people", "within": "one person"}
_THICK = 0.36


def swaps_png(result: Mapping[str, Any], path: Path) -> None:
    """Write `swaps_figure` as a PNG, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    with atomic_write(path) as temporary:
        swaps_figure(result).savefig(temporary, dpi=130)


def swaps_figure(result: Mapping[str, Any]) -> Figure:
    """A panel of bars a measure that was taken, one colour a kind of swaps, chance as a line."""
    panels = [panel for panel in _PANELS if any(figures(result, panel[0], kind) for kind in _KINDS)]
    panels = panels or [
        ("code_cycle.expression", "expression code read again", {"swap": "swapped", "donors": "donors"})
    ]
    figure = Figure(figsize=(3.4 * len(panels), 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for number, (name, title, shown) in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), number)
        taken = [kind for kind in _KINDS if figures(result, name, kind)]
        for place, kind in enumerate(taken):
            middle = _THICK / 2 if len(taken) == 1 else _THICK * (1 - place)
            _bars(axes, figures(result, name, kind), list(shown), middle, COLOURS[list(_KINDS).index(kind)])
        axes.set_yticks([_THICK / 2 - row for row in range(len(shown))], list(shown.values()))
        axes.set_ylim(-len(shown) + 0.5, 0.9)
        axes.set_xlim(min(0.0, axes.get_xlim()[0]), 1)
        axes.set_title(title, fontsize="medium")
        axes.spines[["top", "right"]].set_visible(False)
    handles = [axes.barh([0], [0], color=COLOURS[place], label=label) for place, label in enumerate(_KINDS.values())]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _bars(axes: Any, found: Mapping[str, Any], shown: list[str], top: float, colour: str) -> None:
    for row, key in enumerate(shown):
        each = found.get(key)
        if each is None or each["value"] is None:
            continue
        middle = top - row
        axes.barh(middle, each["value"], _THICK, color=colour)
        if each["low"] is not None and each["high"] is not None:
            axes.plot([each["low"], each["high"]], [middle, middle], color="black", linewidth=1)
    chance = (found.get("swap") or {}).get("chance")
    if chance is not None:
        axes.axvline(chance, color="grey", linestyle=":", linewidth=1)
