"""Contact sheet of a rendered set: one row per identity, one column per expression."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from facedis.errors import InputError
from facedis.synthetic.render_plan import RenderPlan
from facedis.taxonomy import EIGHT

_HEADER = 18


def expression_sheet(folder: Path, plan: RenderPlan, people: int = 6) -> np.ndarray:
    """Draw the first image of each expression of the first identities.

    Args:
        folder: Folder of the set.
        plan: Plan of the set.
        people: Maximum number of rows.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InputError: An image is missing.
    """
    chosen = sorted({spec.person_index for spec in plan.specs})[:people]
    canvas = Image.new("RGB", (len(EIGHT) * plan.size, _HEADER + len(chosen) * plan.size), "white")
    brush, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=12)
    for column, name in enumerate(EIGHT):
        brush.text(((column + 0.5) * plan.size, _HEADER / 2), name, "black", font, anchor="mm")
    for spec in plan.specs:
        if spec.person_index in chosen and spec.repeat == 0:
            place = EIGHT.index(spec.expression) * plan.size, _HEADER + chosen.index(spec.person_index) * plan.size
            canvas.paste(_open(folder / spec.name), place)
    return np.asarray(canvas)


def _open(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except OSError as error:
        raise InputError(f"{path} cannot be read", "run the same `facedis synth` again") from error
