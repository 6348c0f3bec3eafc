"""Figures of evaluations and ablations."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from facedis.atomic_io import atomic_write
from facedis.errors import ConfigError
from facedis.reports.figures.colours import COLOURS
from facedis.reports.labels import CODE_LABELS

_MARKERS = ("o", "s", "^", "v", "D")
#: What a code should retain, with and without identities: key of the record, chance level, axis label.
_RETAINED = "identity_auc", 0.5, "identity (AUC)"
_RETAINED_UNNAMED = "embedding_r2", 0.0, "trunk features after LEACE (R²)"
_LEAKED = "expression (best probe)"


def confusion_png(counts: Sequence[Sequence[int]], classes: Sequence[str], path: Path, title: str = "") -> None:
    """Write the figure of `confusion` as a PNG.

    Args:
        counts: (K, K) counts; rows are true expressions, columns predicted ones.
        classes: K names.
        path: The PNG, written whole or not at all.
        title: Title of the figure.

    Raises:
        OutputError: The file cannot be written.
    """
    with atomic_write(path) as temporary:
        confusion(counts, classes, title).savefig(temporary, dpi=130)


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], title: str = "") -> Figure:
    """A confusion matrix: cells are coloured by the fraction of their row and labelled with the count."""
    table = np.asarray(counts)
    totals = table.sum(axis=1, keepdims=True)
    fractions = table / np.maximum(totals, 1)
    side = 1.6 + 0.72 * len(classes)
    figure = _new_figure(side + 1.0, side)
    axes = figure.add_subplot()
    image = axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    places = range(len(classes))
    axes.set_xticks(places, classes, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, [f"{name} ({total:,})" for name, total in zip(classes, totals[:, 0], strict=True)])
    axes.set_xlabel("predicted expression")
    axes.set_ylabel("true expression (number of faces)")
    axes.set_title(title, fontsize="medium")
    for row, column in np.ndindex(*table.shape):
        colour = "white" if fractions[row, column] > 0.55 else "black"
        axes.text(column, row, f"{table[row, column]:,}", ha="center", va="center", color=colour, fontsize="small")
    axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, label="fraction of the true expression", shrink=0.85)
    return figure


def trade_off(result: Mapping[str, Any]) -> Figure | None:
    """Retention (x) against leakage (y) of every code; better codes are further right and lower.

    Retention is the identity AUC or, without identities, the R² of the trunk features after LEACE. The R² of the
    trunk features themselves is 1. A constant code lies where the lines of chance cross.

    Args:
        result: A record of kind "evaluation".

    Returns:
        The figure; None if nothing was measured.
    """
    leakage, retention = result["leakage"], result["retention"]
    known = retention.get("identity_auc_trunk") is not None
    key, chance, label = _RETAINED if known else _RETAINED_UNNAMED
    figure = _new_figure(6.2, 4.6)
    axes = figure.add_subplot()
    level = None
    for number, (code, name) in enumerate(CODE_LABELS.items()):
        kept, leak = retention.get(f"{key}_{code}"), (leakage.get(f"expression_in_{code}") or {}).get("strongest")
        if not known and code in ("trunk", "erased_trunk"):  # erasure is linear: both determine the erased features
            kept = {"value": 1.0, "low": None, "high": None}
        if kept is not None and leak is not None:
            level = leak["chance"]
            _point(axes, kept, leak, fmt=_MARKERS[number], color=COLOURS[number], capsize=3, label=name)
    if level is None:
        return None
    axes.annotate("constant code", (chance, level), xytext=(4, -12), textcoords="offset points", color="grey")
    _label_trade_off(figure, (chance, level), (f"retained: {label}", f"leaked: {_LEAKED}"))
    return figure


def frontier(result: Mapping[str, Any]) -> Figure:
    """Retention (x) against leakage (y) of the rest code of every row of an ablation, one marker per seed.

    Args:
        result: A record of kind "ablation".
    """
    rows = [row for row in result["rows"] if row["leakage"]["expression_in_rest"]]
    known = any(row["retention"].get("identity_auc_rest") for row in rows)
    key, chance, label = _RETAINED if known else _RETAINED_UNNAMED
    figure = _new_figure(6.4, 4.8)
    axes = figure.add_subplot()
    for number, name in enumerate(dict.fromkeys(row["name"] for row in rows)):
        style = {"fmt": _MARKERS[number % len(_MARKERS)], "color": COLOURS[number % len(COLOURS)], "capsize": 2}
        for seed, row in enumerate(row for row in rows if row["name"] == name):
            kept, leak = row["retention"][f"{key}_rest"], row["leakage"]["expression_in_rest"]["strongest"]
            if kept is not None and leak is not None:
                _point(axes, kept, leak, label=None if seed else name, **style)
    levels = (chance, 1 / len(result["classes"]))
    _label_trade_off(figure, levels, (f"retained in rest code: {label}", f"leaked into rest code: {_LEAKED}"))
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG or SVG, by the extension of the file.

    Raises:
        ConfigError: The extension is neither .png nor .svg.
        OutputError: The file cannot be written.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg"):
        raise ConfigError(f"{path.name} is neither a .png nor a .svg file", "choose one of the two extensions")
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=140)


def code_maps(maps: Mapping[str, np.ndarray], labels: np.ndarray, classes: Sequence[str]) -> Figure:
    """Scatter plots of the 2-D projections of codes, coloured by expression.

    Args:
        maps: For each code the (n, 2) projection of n faces.
        labels: (n,) int expressions.
        classes: Names of the expressions.
    """
    figure = _new_figure(5.2 * len(maps), 5.4)
    for number, (name, points) in enumerate(maps.items(), 1):
        axes = figure.add_subplot(1, len(maps), number)
        for label, expression in enumerate(classes):
            colour = COLOURS[label % len(COLOURS)]
            x, y = points[labels == label].T
            axes.scatter(x, y, s=7, color=colour, label=expression, linewidths=0, alpha=0.75)
        axes.set_title(CODE_LABELS[name], fontsize="medium")
        axes.set_xticks([])
        axes.set_yticks([])
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, markerscale=3, frameon=False)
    return figure


def bar_chart(names: Sequence[str], values: Sequence[float], label: str, chance: float | None = None) -> Figure:
    """Horizontal bars, the first one on top, with the chance level as a dotted line.

    Args:
        names: n labels.
        values: n values in 0..1.
        label: Label of the axis.
        chance: Chance level.
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


def _point(axes: Axes, x: Mapping[str, Any], y: Mapping[str, Any], **style: Any) -> None:
    """Draw one marker with the intervals of both estimates."""
    axes.errorbar(x["value"], y["value"], _error_bar(y), _error_bar(x), **style)


def _label_trade_off(figure: Figure, levels: tuple[float, float], labels: tuple[str, str]) -> None:
    """Add chance levels, axis labels and the legend."""
    axes = figure.axes[0]
    axes.axvline(levels[0], color="grey", linestyle=":", linewidth=1)
    axes.axhline(levels[1], color="grey", linestyle=":", linewidth=1)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.margins(0.12)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)


def _error_bar(estimate: Mapping[str, Any]) -> list[list[float]] | None:
    if estimate["low"] is None or estimate["high"] is None:
        return None
    low, high = estimate["value"] - estimate["low"], estimate["high"] - estimate["value"]
    return [[max(0.0, low)], [max(0.0, high)]]  # a percentile interval need not contain the value


def _new_figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
