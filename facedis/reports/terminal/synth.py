"""What `facedis synth` prints and draws."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from rich.console import RenderableType

from facedis.atomic_io import atomic_write


def render(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """How many pictures there are now, and how fast they were made."""
    yield (
        f"Rendered: {result['output']} ({result['n']:,} pictures of {result['people']:,} people, {result['size']} px)"
    )
    if result["rate"] is None:
        yield "All of them were there already."
    else:
        yield (
            f"{result['made']:,} made now by {result['processes']} processes: {result['rate']:.2f} images a second, "
            f"{result['seconds'] / result['made']:.2f} s each"
        )


def save_png(pixels: np.ndarray, path: Path) -> None:
    """Write (H, W, 3) uint8 `pixels` as a PNG that says it is no photograph."""
    info = PngInfo()
    info.add_text("Description", "synthetic image rendered by facedis; not a photograph")
    with atomic_write(path) as temporary:
        Image.fromarray(pixels).save(temporary, pnginfo=info)
