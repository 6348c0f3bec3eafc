"""Pictures of results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from facedis.atomic_io import atomic_write
from facedis.errors import ConfigError
from facedis.reports.figures.colours import COLOURS

_MARKERS = ("o", "s", "^", "v", "D")
#: What a code should keep, where people are known and where they are not: key, chance, label.
_RETAINED = "identity_auc", 0.5, "people told apart (AUC)"
_RETAINED_UNNAMED = "embedding_r2", 0.0, "trunk features without the expression, predicted (R²)"
#: How the codes are called in pictures.
CODE_LABELS = {
    "rest": "rest code",
    "expression": "expression code",
    "trunk": "trunk",
    "erased_trunk": "trunk, erased",
    "random": "untrained branch",
}


def confusion_png(counts: Sequence[Sequence[int]], classes: Sequence[str], path: Path, title: str = "") -> None:
    """Write `confusion` as a PNG.

    Args:
        counts: (K, K) row the true expression, column the predicted one.
        classes: K names.
        path: The PNG to write, whole or not at all.
        title: A line above it.

    Raises:
        OutputError: It cannot be written.
    """
    with atomic_write(path) as temporary:
        confusion(counts, classes, title).savefig(temporary, dpi=130)


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], title: str = "") -> Figure:
    """A confusion matrix: colour is the share of the true expression's faces, text the count."""
    table = np.asarray(counts)
    totals = table.sum(axis=1, keepdims=True)
    shares = table / np.maximum(totals, 1)
    side = 1.6 + 0.72 * len(classes)
    figure = _new_figure(side + 1.0, side)
    axes = figure.add_subplot()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    places = range(len(classes))
    axes.set_xticks(places, classes, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, [f"{name} ({total:,})" for name, total in zip(classes, totals[:, 0], strict=True)])
    axes.set_xlabel("predicted")
    axes.set_ylabel("true (number of faces)")
    axes.set_title(title, fontsize="medium")
    for row, column in np.ndindex(table.shape):
        colour = "white" if shares[row, column] > 0.55 else "black"
        axes.text(column, row, f"{table[row, column]:,}", ha="center", va="center", color=colour, fontsize="small")
    axes.spines[:].set_visible(False)
    figure.colorbar(picture, ax=axes, label="share of the true expression", shrink=0.85)
    return figure


def trade_off(result: Mapping[str, Any]) -> Figure | None:
    """Every code on a plane: what it keeps to the right, what it leaks upwards; good is right and low.

    Kept is the identity AUC or, where nobody is known, the R2 of the trunk features without the
    expression, of which the trunk itself tells all. A constant code lies where the lines of chance cross.

    Args:
        result: A record of kind "evaluation".

    Returns:
        None where nothing could be measured.
    """
    leakage, retention = result["leakage"], result["retention"]
    known = retention.get("identity_auc_trunk") is not None
    key, chance, label = _RETAINED if known else _RETAINED_UNNAMED
    figure = _new_figure(6.2, 4.6)
    axes = figure.add_subplot()
    level = None
    for number, (code, name) in enumerate(CODE_LABELS.items()):
        kept, leak = retention.get(f"{key}_{code}"), (leakage.get(f"expression_in_{code}") or {}).get("strongest")
        if not known and code in ("trunk", "erased_trunk"):  # erasing is linear: they tell it wholly
            kept = {"value": 1.0, "low": None, "high": None}
        if kept is None or leak is None:
            continue
        level = leak["chance"]
        place = kept["value"], leak["value"]
        axes.errorbar(
            *place,
            _error_bar(leak),
            _error_bar(kept),
            fmt=_MARKERS[number],
            color=COLOURS[number],
            capsize=3,
            label=name,
        )
    if level is None:
        return None
    axes.axhline(level, color="grey", linestyle=":", linewidth=1)
    axes.axvline(chance, color="grey", linestyle=":", linewidth=1)
    axes.annotate("a constant code", (chance, level), xytext=(4, -12), textcoords="offset points", color="grey")
    axes.set_xlabel(label)
    axes.set_ylabel("expression read by the strongest probe")
    axes.margins(0.12)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def frontier(result: Mapping[str, Any]) -> Figure:
    """Every row of an ablation on the plane of what its rest code keeps and what it leaks; one mark a seed.

    Args:
        result: A record of kind "ablation".
    """
    rows = [row for row in result["rows"] if row["leakage"]["expression_in_rest"]]
    known = any(row["retention"].get("identity_auc_rest") for row in rows)
    key, chance, label = _RETAINED if known else _RETAINED_UNNAMED
    figure = _new_figure(6.4, 4.8)
    axes = figure.add_subplot()
    for number, name in enumerate(dict.fromkeys(row["name"] for row in rows)):
        style = dict(fmt=_MARKERS[number % len(_MARKERS)], color=COLOURS[number % len(COLOURS)], capsize=2)
        for seed, row in enumerate(row for row in rows if row["name"] == name):
            kept, leak = row["retention"][f"{key}_rest"], row["leakage"]["expression_in_rest"]["strongest"]
            if kept is not None and leak is not None:
                label_once = None if seed else name
                axes.errorbar(
                    kept["value"], leak["value"], _error_bar(leak), _error_bar(kept), label=label_once, **style
                )
    axes.axhline(1 / len(result["classes"]), color="grey", linestyle=":", linewidth=1)
    axes.axvline(chance, color="grey", linestyle=":", linewidth=1)
    axes.set_xlabel(f"kept in the rest code: {label}")
    axes.set_ylabel("expression in the rest code (strongest probe)")
    axes.margins(0.12)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as its name ends: .png or .svg.

    Raises:
        ConfigError: Its name ends in something else.
        OutputError: It cannot be written.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg"):
        raise ConfigError(f"a figure cannot be written as {path.name}", "end its name in .png or .svg")
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=140)


def code_maps(maps: Mapping[str, np.ndarray], labels: np.ndarray, classes: Sequence[str]) -> Figure:
    """The faces laid out by each code, coloured by expression: mixed colours are what a rest code wants."""
    figure = _new_figure(5.2 * len(maps), 5.4)
    for number, (name, places) in enumerate(maps.items(), 1):
        axes = figure.add_subplot(1, len(maps), number)
        for label, expression in enumerate(classes):
            chosen = labels == label
            colour = COLOURS[label % len(COLOURS)]
            axes.scatter(*places[chosen].T, s=7, color=colour, label=expression, linewidths=0, alpha=0.75)
        axes.set_title(CODE_LABELS[name], fontsize="medium")
        axes.set_xticks([])
        axes.set_yticks([])
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, markerscale=3, frameon=False)
    return figure


def bar_chart(names: Sequence[str], values: Sequence[float], label: str, chance: float | None = None) -> Figure:
    """One bar a name, with the level of chance as a line.

    Args:
        names: n names.
        values: n shares in 0..1.
        label: Of the axis.
        chance: Where the line is drawn.
    """
    figure = _new_figure(6.2, 0.7 + 0.27 * len(names))
    axes = figure.add_subplot()
    places = np.arange(len(names))[::-1]
    axes.barh(places, values, color=COLOURS[0], height=0.72)
    axes.set_yticks(places, names)
    axes.set_xlim(0, 1)
    axes.set_xlabel(label)
    if chance is not None:
        axes.axvline(chance, color="grey", linestyle=":", linewidth=1)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _error_bar(figure: Mapping[str, Any]) -> list[list[float]] | None:
    if figure["low"] is None or figure["high"] is None:
        return None
    low, high = figure["value"] - figure["low"], figure["high"] - figure["value"]
    return [[max(0.0, low)], [max(0.0, high)]]  # a percentile interval need not hold its value


def _new_figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
