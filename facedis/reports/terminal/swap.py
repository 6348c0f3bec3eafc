"""Terminal output of `facedis swap`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.table import Table

from facedis.reports.numbers import model_line


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Rich renderables of a record of kind "swap"."""
    cosines = result["cosines"]
    if result["task"] == "interpolation":
        yield _step_table(cosines, result["shares"])
    elif result["task"] == "grid":
        means = {name: float(np.mean(values)) for name, values in cosines.items()}
        yield (
            f"Mean cosine of the codes of all {result['n'] ** 2} generated images: "
            f"{means['swapped_with_expression_donor']:.3f} with the expression donor's expression code, "
            f"{means['swapped_with_rest_donor']:.3f} with the rest donor's rest code."
        )
    else:
        yield _swap_table(cosines)
    if "x1_x2" in cosines:
        inputs = cosines["x1_x2"]
        yield f"Before the swap: X1 and X2 {inputs['expression']:.3f} (expression), {inputs['rest']:.3f} (rest)."
    elif "x1_mean" in cosines:
        cosine = cosines["x1_mean"]["expression"]
        yield f"Before the swap: X1 and the mean of {result['onto']} {cosine:.3f} (expression)."
    yield "These scores come from the same model and are optimistic: use `facedis swap-eval` with independent models."
    yield model_line(result)
    yield f"Written: {result['images']['grid']}, single images in {result['output']}/"


def _swap_table(cosines: Mapping[str, Any]) -> Table:
    table = Table(title="Cosine of the codes of the swapped faces with ...")
    for name in ("", "the expression donor's expression code", "the rest donor's rest code"):
        table.add_column(name, justify="right" if name else "left")
    donors = zip(cosines["swapped_with_expression_donor"], cosines["swapped_with_rest_donor"], strict=True)
    for number, (expression, rest) in enumerate(donors, 1):
        table.add_row(f"X{number}''", f"{expression:.3f}", f"{rest:.3f}")
    return table


def _step_table(cosines: Mapping[str, Any], shares: Sequence[float]) -> Table:
    table = Table(title="Cosine of the expression codes of the steps with ...")
    for name in ("step", "the first code", "the last code"):
        table.add_column(name, justify="right")
    for share, first, last in zip(shares, cosines["steps_with_first"], cosines["steps_with_last"], strict=True):
        table.add_row(f"{share:.0%}", f"{first:.3f}", f"{last:.3f}")
    return table
