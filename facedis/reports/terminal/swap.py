"""Swap records as a terminal page, and their pictures: the labelled whole, each by itself, an animation."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rich.console import RenderableType
from rich.table import Table

from facedis.reports.numbers import model_line
from facedis.reports.provenance import COMPOSITE, CROPPED, SYNTHETIC, save_animation, save_image

_GAP, _LINE = 8, 34
#: Smallest side of a face on the whole, where few of them stand side by side.
_SIDE, _MANY, _SMALL = 192, 6, 96
_MARKS = {"photograph": CROPPED, "drawn": SYNTHETIC, "composite": COMPOSITE}


class SwapImage(Protocol):
    """See `facedis.tasks.swapping.swapping`."""

    pixels: np.ndarray
    label: str
    kind: str


class SwapResult(Protocol):
    """See `facedis.tasks.swapping.swapping`."""

    pictures: dict[str, SwapImage]
    rows: tuple[tuple[str, ...], ...]
    record: dict[str, Any]


def write_drawing(drawing: SwapResult, path: Path) -> dict[str, str]:
    """Write the labelled whole to `path`, and each picture by itself into the folder beside it.

    Args:
        drawing: What was drawn.
        path: PNG, JPEG, WebP, or a GIF that shows the pictures of the first row one after the other.

    Returns:
        The path of every picture by name, and of the whole as "grid".

    Raises:
        OutputError: Something cannot be written.
    """
    if path.suffix.lower() == ".gif":
        save_animation([_enlarged(drawing.pictures[name].pixels, _SIDE) for name in drawing.rows[0]], path)
    else:
        save_image(labelled(drawing), path)
    folder = folder_beside(path)
    for name, picture in drawing.pictures.items():
        save_image(picture.pixels, folder / f"{name}.png", _MARKS[picture.kind])
    return {name: str(folder / f"{name}.png") for name in drawing.pictures} | {"grid": str(path)}


def folder_beside(path: Path) -> Path:
    """The folder for the single pictures of a whole that is written to `path`."""
    return path.with_suffix("")


def labelled(drawing: SwapResult) -> Image.Image:
    """All rows as one picture with a label over each face; small faces are enlarged, never smoothed away."""
    columns = max(map(len, drawing.rows))
    least = _SIDE if columns <= _MANY else _SMALL
    rows = [[drawing.pictures.get(name) for name in row] for row in drawing.rows]
    side = max(least, min(next(each for row in rows for each in row if each).pixels.shape[0], _SIDE))
    lines = [max((_height(each.label) for each in row if each), default=0) for row in rows]
    width, height = columns * (side + _GAP) + _GAP, sum(side + line + _GAP for line in lines) + _GAP
    sheet = Image.new("RGB", (width, height), "white")
    pen, font, top = ImageDraw.Draw(sheet), ImageFont.load_default(13 if least == _SIDE else 10), _GAP
    for row, line in zip(rows, lines, strict=True):
        for across, picture in enumerate(row):
            if picture is not None:
                left = _GAP + across * (side + _GAP)
                pen.multiline_text((left, top), _fitting(picture.label, font, side), "black", font, spacing=2)
                sheet.paste(_enlarged(picture.pixels, side), (left, top + line))
        top += side + line + _GAP
    return sheet


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Rich renderables of a record of kind "swap"."""
    cosines = result["cosines"]
    if result["task"] == "interpolation":
        yield _steps(cosines, result["shares"])
    elif result["task"] == "grid":
        means = {name: float(np.mean(values)) for name, values in cosines.items()}
        yield (
            f"Codes of all {result['n'] ** 2} pictures, encoded again: mean cosine "
            f"{means['swapped_with_expression_donor']:.3f} with the expression donor's expression code, "
            f"{means['swapped_with_rest_donor']:.3f} with the other donor's rest code."
        )
    else:
        yield _swapped(cosines)
    if "x1_x2" in cosines:
        before = cosines["x1_x2"]
        yield f"Before: X1 and X2 {before['expression']:.3f} (expression), {before['rest']:.3f} (rest)."
    elif "x1_mean" in cosines:
        yield f"Before: X1 and the mean of {result['onto']} {cosines['x1_mean']['expression']:.3f} (expression)."
    yield (
        "The model reads its own pictures here, and is pleased by what nobody else would see: look at them, and ask "
        "`facedis swap-eval`, where others judge."
    )
    yield model_line(result)
    yield f"Drawn: {result['images']['grid']}, each picture by itself in {result['output']}/"


def _swapped(cosines: Mapping[str, Any]) -> Table:
    table = Table(title="Codes of the swapped faces, encoded again: cosine with ...")
    for name in ("", "the expression donor's expression code", "the other donor's rest code"):
        table.add_column(name, justify="right" if name else "left")
    donors = zip(cosines["swapped_with_expression_donor"], cosines["swapped_with_rest_donor"], strict=True)
    for number, (expression, rest) in enumerate(donors, 1):
        table.add_row(f"X{number}''", f"{expression:.3f}", f"{rest:.3f}")
    return table


def _steps(cosines: Mapping[str, Any], shares: Sequence[float]) -> Table:
    table = Table(title="Expression codes of the steps, encoded again: cosine with ...")
    for name in ("step", "the first expression", "the last one"):
        table.add_column(name, justify="right")
    for share, first, last in zip(shares, cosines["steps_with_first"], cosines["steps_with_last"], strict=True):
        table.add_row(f"{share:.0%}", f"{first:.3f}", f"{last:.3f}")
    return table


def _enlarged(pixels: np.ndarray, side: int) -> Image.Image:
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)


def _height(label: str) -> int:
    return 0 if not label else _LINE if "\n" in label else _LINE // 2 + 2


def _fitting(label: str, font: Any, width: int) -> str:
    """The label, each of its lines cut where it would run into the next face."""
    lines = []
    for line in label.split("\n"):
        while font.getlength(line) > width and len(line) > 2:
            line = f"{line[:-2]}…"
        lines.append(line)
    return "\n".join(lines)
