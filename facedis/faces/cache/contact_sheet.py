"""Contact sheets: an image with one row of faces per expression or status."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from facedis.errors import ConfigError
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.cache_format import STATUSES
from facedis.faces.cropping.crop import resize_image
from facedis.faces.io.images import decode_image

KINDS = ("expression", "status")
#: Sizes in pixels: a face, the gap between faces, the caption of a row.
TILE, GAP, CAPTION = 96, 4, 150
_MISSING = 232  # grey value of a tile without an image


def contact_sheet(path: Path, by: str = "expression", each: int = 12, split: str = "all", seed: int = 0) -> np.ndarray:
    """Draw a contact sheet of the cache at `path`.

    Rows without a face show their image if it can be read.

    Args:
        path: The cache.
        by: "expression" or "status".
        each: Maximum number of faces per row, sampled uniformly.
        split: A split, or "all".
        seed: Seed of the sample.

    Returns:
        (H, W, 3) uint8.

    Raises:
        CacheError: The file is not a faces cache.
        ConfigError: The kind does not exist, or no row is selected.
    """
    if by not in KINDS:
        raise ConfigError(f"there is no contact sheet by '{by}'", f"choose one of: {', '.join(KINDS)}")
    if each < 1:
        raise ConfigError(f"--each is {each}", "give at least 1")
    with FacesCache.open(path) as cache:
        lines = [(name, rows) for name, rows in _sheet_rows(cache, by, split) if len(rows)]
        if not lines:
            raise ConfigError(f"{path} has no row in the split '{split}'", "choose another --split, or all")
        canvas = _canvas(len(lines), min(each, max(len(rows) for _, rows in lines)))
        for place, (name, rows) in enumerate(lines):
            shown = np.sort(np.random.default_rng(seed).permutation(rows)[:each])
            _draw(canvas, place, f"{name}\n{len(rows):,}", [_tile(cache, row) for row in shown])
    return np.asarray(canvas)


def _sheet_rows(cache: FacesCache, by: str, split: str) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the caption and the cache rows of each row of the sheet."""
    inside = np.full(len(cache), True) if split == "all" else cache.splits == split
    if by == "status":
        for status in STATUSES:
            yield status, np.flatnonzero(inside & (cache.status == status))
        return
    for number, name in enumerate(cache.info.classes):
        yield name, np.flatnonzero(inside & cache.usable & (cache.labels == number))
    yield "unlabelled", np.flatnonzero(inside & cache.usable & (cache.labels < 0))


def _tile(cache: FacesCache, row: int) -> Image.Image | None:
    """The face of a row, or its image if it has none."""
    if cache.usable[row]:
        pixels = cache.faces(np.array([row]))[0]
    else:
        pixels = decode_image(Path(cache.info.source) / cache.sources[row]).pixels
    return None if pixels is None else Image.fromarray(resize_image(pixels, TILE))


def _canvas(lines: int, across: int) -> Image.Image:
    return Image.new("RGB", (CAPTION + across * (TILE + GAP) + GAP, lines * (TILE + GAP) + GAP), "white")


def _draw(canvas: Image.Image, place: int, caption: str, tiles: list[Image.Image | None]) -> None:
    top = GAP + place * (TILE + GAP)
    draw = ImageDraw.Draw(canvas)
    draw.multiline_text((GAP * 2, top + TILE // 3), caption, fill="black", font=ImageFont.load_default(16))
    for number, tile in enumerate(tiles):
        left = CAPTION + GAP + number * (TILE + GAP)
        if tile is None:
            draw.rectangle((left, top, left + TILE - 1, top + TILE - 1), fill=(_MISSING,) * 3)
        else:
            canvas.paste(tile, (left, top))
