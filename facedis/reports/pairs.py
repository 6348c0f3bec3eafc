"""Swap records as tables, and the picture of Fig. 2."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from rich.console import RenderableType
from rich.table import Table

from facedis.files import replacing

_GAP, _LINE = 8, 34
#: Written into every drawn image, so that nobody takes it for a photograph.
SYNTHETIC = "synthetic image drawn by facedis; not a photograph"


def swap_page(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Rich renderables of a record of kind "swap"."""
    cosines = result["cosines"]
    table = Table(title="Codes of the swapped faces, encoded again: cosine with ...")
    for name in ("", "the expression donor's expression code", "the other donor's rest code"):
        table.add_column(name, justify="right" if name else "left")
    donors = zip(cosines["swapped_with_expression_donor"], cosines["swapped_with_rest_donor"], strict=True)
    for name, (expression, rest) in zip(("X1''", "X2''"), donors, strict=True):
        table.add_row(name, f"{expression:.3f}", f"{rest:.3f}")
    yield table
    yield f"Before: X1 and X2 {cosines['x1_x2']['expression']:.3f} (expression), {cosines['x1_x2']['rest']:.3f} (rest)."
    yield f"Drawn: {result['images']['grid']}"


def swap_png(rows: Sequence[Sequence[tuple[str, np.ndarray]]], path: Path) -> None:
    """Write a labelled grid of images; small faces are enlarged, never smoothed away.

    Args:
        rows: Each row's (label, (S, S, 3) uint8) cells.
        path: The PNG, written whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    side = max(192, rows[0][0][1].shape[0])
    width, height = (len(rows[0]) * (side + _GAP) + _GAP), (len(rows) * (side + _LINE + _GAP) + _GAP)
    sheet = Image.new("RGB", (width, height), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for down, row in enumerate(rows):
        for across, (label, pixels) in enumerate(row):
            x, y = _GAP + across * (side + _GAP), _GAP + down * (side + _LINE + _GAP)
            pen.multiline_text((x, y), label, "black", font, spacing=2)
            sheet.paste(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC), (x, y + _LINE))
    about = PngInfo()
    about.add_text("Comment", SYNTHETIC)
    with replacing(path) as temporary:
        sheet.save(temporary, format="PNG", pnginfo=about)
