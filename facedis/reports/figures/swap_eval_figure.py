"""Bar charts of a swap evaluation: each metric with its references."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from facedis.atomic_io import atomic_write
from facedis.reports.figures.colours import COLOURS
from facedis.reports.terminal.swap_eval import estimates

#: Panels: metric, title, and the labels of its bars from top to bottom.
_PANELS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "transfer",
        "target expression predicted",
        {"real": "real faces", "reconstruction": "reconstruction", "swap": "swap", "copying": "copying"},
    ),
    ("copy_rate", "source expression predicted", {"copying": "copying", "swap": "swap", "real": "real faces"}),
    ("closer_to_rest_donor", "closer to the rest donor", {"swap": "swap", "other_pictures": "by other images"}),
    (
        "verified_as_rest_donor",
        "verified as the rest donor",
        {"genuine": "same person", "reconstruction": "reconstruction", "swap": "swap"},
    ),
    (
        "ssim",
        "SSIM to the ground truth",
        {"reconstruction": "reconstruction", "swap": "swap", "copying": "copying", "mean_face": "mean face"},
    ),
)
_FALLBACK = ("code_cycle.expression", "expression code cycle", {"swap": "swap", "donors": "donors"})
_KINDS = {"across": "two people", "within": "one person"}
_BAR = 0.36


def write_swap_figure(result: Mapping[str, Any], path: Path) -> None:
    """Write `swap_figure` as a PNG.

    Raises:
        OutputError: The file cannot be written.
    """
    with atomic_write(path) as temporary:
        swap_figure(result).savefig(temporary, dpi=130)


def swap_figure(result: Mapping[str, Any]) -> Figure:
    """One panel of bars per measured metric, one colour per kind of swaps; dotted lines mark the chance level."""
    panels = [panel for panel in _PANELS if any(estimates(result, panel[0], kind) for kind in _KINDS)] or [_FALLBACK]
    figure = Figure(figsize=(3.4 * len(panels), 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for number, (metric, title, labels) in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), number)
        measured = [kind for kind in _KINDS if estimates(result, metric, kind)]
        for index, kind in enumerate(measured):
            top = _BAR / 2 if len(measured) == 1 else _BAR * (1 - index)
            _draw_bars(axes, estimates(result, metric, kind), list(labels), top, COLOURS[list(_KINDS).index(kind)])
        axes.set_yticks([_BAR / 2 - row for row in range(len(labels))], list(labels.values()))
        axes.set_ylim(-len(labels) + 0.5, 0.9)
        axes.set_xlim(min(0.0, axes.get_xlim()[0]), 1)
        axes.set_title(title, fontsize="medium")
        axes.spines[["top", "right"]].set_visible(False)
    handles = [axes.barh([0], [0], color=COLOURS[index], label=label) for index, label in enumerate(_KINDS.values())]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _draw_bars(axes: Axes, found: Mapping[str, Any], names: Sequence[str], top: float, colour: str) -> None:
    for row, name in enumerate(names):
        estimate = found.get(name)
        if estimate is None or estimate["value"] is None:
            continue
        middle = top - row
        axes.barh(middle, estimate["value"], _BAR, color=colour)
        if estimate["low"] is not None and estimate["high"] is not None:
            axes.plot([estimate["low"], estimate["high"]], [middle, middle], color="black", linewidth=1)
    chance = (found.get("swap") or {}).get("chance")
    if chance is not None:
        axes.axvline(chance, color="grey", linestyle=":", linewidth=1)
