"""Contact sheet of swaps: rest donor, expression donor, swap and ground truth."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from facedis.faces.io.provenance import save_image

if TYPE_CHECKING:
    from facedis.tasks.swapping.swap_metrics import SwapExample

#: Size in pixels of a face, a gap and a caption, and the number of swaps per row.
TILE, GAP, CAPTION, COLUMNS = 96, 4, 15, 3


def write_swap_sheet(examples: "Sequence[SwapExample]", path: Path) -> None:
    """Write the contact sheet, marked as synthetic; the ground truth is left out if no swap has one.

    Args:
        examples: The swaps.
        path: PNG, JPEG or WebP.

    Raises:
        OutputError: The file cannot be written.
    """
    names = ["rest of", "expression of", "swap"] + ["truth"] * any(each.truth is not None for each in examples)
    width, height = len(names) * (TILE + GAP) + 4 * GAP, TILE + CAPTION + 2 * GAP
    num_rows = -(-len(examples) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * width, CAPTION + num_rows * height + GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for column in range(min(COLUMNS, len(examples))):
        for k, name in enumerate(names):
            draw.text((column * width + 2 * GAP + k * (TILE + GAP), 1), name, "black", font)
    for number, example in enumerate(examples):
        row, column = divmod(number, COLUMNS)
        left, top = column * width + 2 * GAP, CAPTION + row * height
        images = (example.rest_donor, example.expression_donor, example.swap, example.truth)
        for k, pixels in enumerate(images[: len(names)]):
            x = left + k * (TILE + GAP)
            if pixels is not None:
                sheet.paste(Image.fromarray(pixels).resize((TILE, TILE), Image.Resampling.BICUBIC), (x, top))
            if k < 2:
                draw.text((x, top + TILE), (example.rest_expression, example.expression)[k], "dimgrey", font)
    save_image(sheet, path)
