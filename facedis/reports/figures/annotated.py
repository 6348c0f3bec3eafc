"""Photographs with their faces framed and named."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from facedis.atomic_io import atomic_write
from facedis.reports.figures.colours import COLOURS

#: Side in pixels below which a photograph is enlarged so that its labels can be read.
_LEAST = 320


class Drawings:
    """A folder of annotated pictures, each as PNG below the path that it was found at.

    Args:
        folder: Made with the first picture.
        classes: Names of the expressions; each has a colour of its own.
    """

    def __init__(self, folder: Path, classes: Sequence[str]) -> None:
        self._folder, self._taken = folder, set[PurePath]()
        self._colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(classes)}

    def add(self, pixels: np.ndarray, below: str, prediction: Mapping[str, Any]) -> Path:
        """Draw one picture.

        Args:
            pixels: (H, W, 3) uint8.
            below: Its path in the folder, with the photograph's own ending.
            prediction: Its faces, and `file`, which is never overwritten.

        Returns:
            The file.

        Raises:
            OutputError: It cannot be written.
        """
        path = self._free(PurePath(below), prediction["frame"], Path(prediction["file"]))
        drawn = annotated(pixels, prediction["faces"], self._colours)
        with atomic_write(path) as temporary:
            drawn.save(temporary)
        return path

    def _free(self, below: PurePath, frame: int | None, source: Path) -> Path:
        stem = below.stem if frame is None else f"{below.stem}-{frame:06}"
        number, path = 1, below.with_name(f"{stem}.png")
        while path in self._taken or (self._folder / path).resolve() == source.resolve():
            number += 1
            path = below.with_name(f"{stem}-{number}.png")
        self._taken.add(path)
        return self._folder / path


def annotated(pixels: np.ndarray, faces: Sequence[Mapping[str, Any]], colours: Mapping[str, str]) -> Image.Image:
    """A photograph with a frame around each face and what it shows beside the frame.

    Args:
        pixels: (H, W, 3) uint8; small ones are enlarged.
        faces: `box` (None: all of it), `expression` and `confidence` of each.
        colours: Of each expression.
    """
    height, width = pixels.shape[:2]
    scale = max(1, -(-_LEAST // max(height, width)))
    picture = Image.fromarray(pixels).resize((width * scale, height * scale), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)
    size = max(14, min(picture.size) // 28)
    font, thick = ImageFont.load_default(size), max(2, size // 7)
    for face in reversed(faces):  # the largest last, over the others
        box = [edge * scale for edge in face["box"] or (0, 0, width - 1, height - 1)]
        pen.rectangle(box, outline=colours[face["expression"]], width=thick)
    for face in reversed(faces):
        box = [edge * scale for edge in face["box"] or (0, 0, width - 1, height - 1)]
        _label(pen, box, f"{face['expression']} {face['confidence']:.0%}", colours[face["expression"]], font)
    return picture


def _label(pen: ImageDraw.ImageDraw, box: Sequence[float], text: str, colour: str, font: Any) -> None:
    """The text above the box; within the picture in any case."""
    left, top, right, bottom = pen.textbbox((0, 0), text, font)
    wide, tall = right - left + 8, bottom - top + 8
    width, height = pen.im.size
    x = min(max(box[0], 0), max(width - wide, 0))
    y = box[1] - tall if box[1] >= tall else min(max(box[1], 0), height - tall)
    pen.rectangle((x, y, x + wide, y + tall), fill=colour)
    red, green, blue = ImageColor.getrgb(colour)
    ink = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "white"
    pen.text((x + 4 - left, y + 4 - top), text, fill=ink, font=font)
