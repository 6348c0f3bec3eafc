"""Comparison of a faces cache with the images it was made from."""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from facedis.config import AlignConfig
from facedis.errors import ConfigError, FacedisError
from facedis.events import EventHandler, Tracker, ignore_events, track
from facedis.faces.alignment.plan import AlignPlan, make_plan
from facedis.faces.alignment.shards import parse_shard, shard_plan
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.cache_format import checksums
from facedis.faces.cropping.crop import CropSettings, crop_face
from facedis.faces.io.images import DecodedImage
from facedis.faces.io.prefetch_decode import prefetch_decoded

#: Number of decoding threads.
_WORKERS = 2


def source_state(cache: FacesCache) -> tuple[str, AlignPlan | None]:
    """Compare the records of the source: ("same", plan), ("changed", None) or ("absent", None)."""
    root = Path(cache.info.source)
    if not root.is_dir():
        return "absent", None
    known = AlignConfig.__dataclass_fields__
    settings = {key: value for key, value in json.loads(cache.info.settings).items() if key in known}
    fingerprint, _, shard = cache.info.fingerprint.partition(":")
    try:
        plan = make_plan(root, AlignConfig(**settings))
        if plan.info.fingerprint != fingerprint:
            return "changed", None
        return "same", shard_plan(plan, parse_shard(shard)) if shard else plan
    except FacedisError:
        return "changed", None


def changed_images(cache: FacesCache, plan: AlignPlan, handler: EventHandler = ignore_events) -> list[str]:
    """Decode and crop all images again, without detection, and return those that give another face.

    Raises:
        ConfigError: The cache is stored as JPEG.
    """
    if (known := cache.checksums) is None:
        raise ConfigError(f"{cache.path} is stored as JPEG, which is lossy", "leave out --images")
    with (
        track(handler, "compare", len(cache)) as progress,
        closing(prefetch_decoded(map(plan.source, range(len(cache))), _WORKERS)) as images,
    ):
        return list(_iter_changed(cache, known, images, progress))


def _iter_changed(
    cache: FacesCache, known: np.ndarray, images: Iterable[DecodedImage], progress: Tracker
) -> Iterator[str]:
    settings = CropSettings(cache.info.crop, cache.info.size, cache.info.margin)
    full_image = replace(settings, crop="none")
    status, usable = cache.status, cache.usable
    boxes, landmarks = cache.column("box"), cache.column("landmarks")
    for row, image in enumerate(images):
        if image.pixels is None or not usable[row]:
            same = status[row] == (image.status if image.pixels is None else "no_face")
        else:
            crop = full_image if status[row] == "whole" else settings
            same = checksums(crop_face(image.pixels, boxes[row], landmarks[row], crop)[None])[0] == known[row]
        if not same:
            yield str(cache.sources[row])
        progress.advance()
