"""Pictures that nobody shall take for photographs: every one is written with a mark that says so.

PNG carries it as text and as EXIF, GIF as its comment, JPEG and WebP as EXIF.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from facedis.atomic_io import atomic_write
from facedis.errors import OutputError

#: Said of what the network drew, alone or beside photographs.
SYNTHETIC = "synthetic image drawn by facedis; not a photograph"
#: Said of a photograph's own face, written beside drawn ones.
CROPPED = "a face cut out of a photograph by facedis, for comparison with synthetic images of it"
#: Said of a photograph with a drawn face in it.
COMPOSITE = "synthetic face drawn by facedis in a photograph; it never looked like this"
#: Pillow's name of the format by ending.
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_DESCRIPTION, _SOFTWARE = 0x010E, 0x0131


def save_image(picture: np.ndarray | Image.Image, path: Path, mark: str = SYNTHETIC) -> None:
    """Write a picture with its mark, whole or not at all.

    Args:
        picture: (H, W, 3) uint8, or Pillow's.
        path: Its ending decides the format.
        mark: What is said of it.

    Raises:
        OutputError: It cannot be written, or has an ending that is no format which can be marked.
    """
    check_image_format(path)
    image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    kind = FORMATS[path.suffix.lower()]
    exif = Image.Exif()
    exif[_DESCRIPTION], exif[_SOFTWARE] = mark, "facedis"
    options: dict = {"exif": exif}
    if kind == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Comment", mark)
    if kind in ("JPEG", "WEBP"):
        options["quality"] = 95
    with atomic_write(path) as temporary:
        image.save(temporary, format=kind, **options)


def save_animation(frames: Sequence[Image.Image], path: Path, hold: int = 600, each: int = 90) -> None:
    """Write a GIF that goes round, marked as synthetic.

    Args:
        frames: In order.
        path: The GIF.
        hold: Milliseconds that the first and the last frame stay.
        each: Milliseconds of the others.

    Raises:
        OutputError: It cannot be written.
    """
    durations = [hold, *[each] * (len(frames) - 2), hold][: len(frames)]
    first, *others = (frame.quantize(256, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames)
    with atomic_write(path) as temporary:
        first.save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=others,
            duration=durations,
            loop=0,
            comment=SYNTHETIC.encode(),
        )


def check_image_format(path: Path, *others: str) -> None:
    """Say so before anything is drawn.

    Raises:
        OutputError: The ending of `path` is none of `FORMATS` or `others`.
    """
    known = [*FORMATS, *others]
    if path.suffix.lower() not in known:
        raise OutputError(f"{path} has no ending of a known picture format", f"choose one of: {' '.join(known)}")
