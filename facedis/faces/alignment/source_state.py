"""What became of the images that a faces cache was made of."""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from facedis.config import AlignConfig
from facedis.errors import ConfigError, FacedisError
from facedis.events import EventHandler, Tracker, ignore_events, track
from facedis.faces.alignment.plan import AlignPlan, make_plan
from facedis.faces.alignment.shards import parse_shard, shard_plan
from facedis.faces.cache.cache import FacesCache, checksums
from facedis.faces.cropping.crop import CropSettings, crop_face
from facedis.faces.io.images import DecodedImage
from facedis.faces.io.prefetch_decode import prefetch_decoded

#: Threads that decode.
_WORKERS = 2


def source_state(cache: FacesCache) -> tuple[str, AlignPlan | None]:
    """Whether the source has the same records still: "same" and its plan, "changed" or "absent" without one."""
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
    """The images that would give another row today, found by reading all of them again; no detector runs.

    Raises:
        ConfigError: The cache does not hold the pixels that were cut out.
    """
    if cache.checksums is None:
        raise ConfigError(f"{cache.path} is stored as JPEG, which gives no face back as it was", "leave out --images")
    with (
        track(handler, "compare", len(cache)) as progress,
        closing(prefetch_decoded(map(plan.source, range(len(cache))), _WORKERS)) as images,
    ):
        return list(_iter_changed(cache, images, progress))


def _iter_changed(cache: FacesCache, images: Iterable[DecodedImage], progress: Tracker) -> Iterator[str]:
    settings = CropSettings(cache.info.crop, cache.info.size, cache.info.margin)
    all_of_it = replace(settings, crop="none")
    known, status, usable = cache.checksums, cache.status, cache.usable
    boxes, landmarks = cache.column("box"), cache.column("landmarks")
    for row, image in enumerate(images):
        if image.pixels is None or not usable[row]:
            same = status[row] == (image.status if image.pixels is None else "no_face")
        else:
            cut = all_of_it if status[row] == "whole" else settings
            same = checksums(crop_face(image.pixels, boxes[row], landmarks[row], cut)[None])[0] == known[row]
        if not same:
            yield str(cache.sources[row])
        progress.advance()
