"""Images annotated with face boxes and predicted expressions."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from facedis.atomic_io import atomic_write
from facedis.reports.figures.colours import COLOURS

#: Images with a longer side below this many pixels are enlarged so that their labels are legible.
_MIN_SIDE = 320


class AnnotationFolder:
    """A folder of annotated images, as PNG files in the same subfolders as the inputs.

    Args:
        folder: Created with the first image.
        classes: Names of the expressions; each has its own colour.
    """

    def __init__(self, folder: Path, classes: Sequence[str]) -> None:
        self._folder, self._used = folder, set[PurePath]()
        self._colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(classes)}

    def add(self, pixels: np.ndarray, name: str, prediction: Mapping[str, Any]) -> Path:
        """Annotate and write one image.

        Args:
            pixels: (H, W, 3) uint8.
            name: Relative path of the input.
            prediction: Record of the image: its `faces`, `frame` and `file`; the input `file` is never overwritten.

        Returns:
            Path of the annotated image.

        Raises:
            OutputError: The image cannot be written.
        """
        path = self._unused_path(PurePath(name), prediction["frame"], Path(prediction["file"]))
        image = annotate(pixels, prediction["faces"], self._colours)
        with atomic_write(path) as temporary:
            image.save(temporary)
        return path

    def _unused_path(self, name: PurePath, frame: int | None, source: Path) -> Path:
        stem = name.stem if frame is None else f"{name.stem}-{frame:06}"
        number, path = 1, name.with_name(f"{stem}.png")
        while path in self._used or (self._folder / path).resolve() == source.resolve():
            number += 1
            path = name.with_name(f"{stem}-{number}.png")
        self._used.add(path)
        return self._folder / path


def annotate(pixels: np.ndarray, faces: Sequence[Mapping[str, Any]], colours: Mapping[str, str]) -> Image.Image:
    """Draw a box and the predicted expression of each face.

    Args:
        pixels: (H, W, 3) uint8; small images are enlarged.
        faces: `box` (None for the whole image), `expression` and `confidence` of each face, largest first.
        colours: Colour of each expression.
    """
    height, width = pixels.shape[:2]
    scale = max(1, -(-_MIN_SIDE // max(height, width)))
    image = Image.fromarray(pixels).resize((width * scale, height * scale), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    font_size = max(14, min(image.size) // 28)
    font, line_width = ImageFont.load_default(font_size), max(2, font_size // 7)
    boxes = [[edge * scale for edge in face["box"] or (0, 0, width - 1, height - 1)] for face in faces]
    annotations = list(zip(faces, boxes, strict=True))[::-1]  # the largest face last, on top of the others
    for face, box in annotations:
        draw.rectangle(box, outline=colours[face["expression"]], width=line_width)
    for face, box in annotations:
        _label(draw, box, f"{face['expression']} {face['confidence']:.0%}", colours[face["expression"]], font)
    return image


def _label(
    draw: ImageDraw.ImageDraw,
    box: Sequence[float],
    text: str,
    colour: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Draw the text above the box, or as near as it fits into the image."""
    left, top, right, bottom = draw.textbbox((0, 0), text, font)
    text_width, text_height = right - left + 8, bottom - top + 8
    width, height = draw.im.size
    x = min(max(box[0], 0), max(width - text_width, 0))
    y = box[1] - text_height if box[1] >= text_height else min(max(box[1], 0), height - text_height)
    draw.rectangle((x, y, x + text_width, y + text_height), fill=colour)
    red, green, blue = ImageColor.getrgb(colour)[:3]
    text_colour = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "white"
    draw.text((x + 4 - left, y + 4 - top), text, fill=text_colour, font=font)
