"""Pictures of results, as PNG files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from facedis.files import replacing


def confusion_png(counts: Sequence[Sequence[int]], classes: Sequence[str], path: Path, title: str = "") -> None:
    """Draw a confusion matrix: colour is the share of the true expression's faces, text the count.

    Args:
        counts: (K, K) row the true expression, column the predicted one.
        classes: K names.
        path: The PNG to write, whole or not at all.
        title: A line above it.

    Raises:
        OutputError: It cannot be written.
    """
    table = np.asarray(counts)
    totals = table.sum(axis=1, keepdims=True)
    shares = table / np.maximum(totals, 1)
    side = 1.6 + 0.72 * len(classes)
    figure = Figure(figsize=(side + 1.0, side), layout="constrained")
    FigureCanvasAgg(figure)
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
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=130)
