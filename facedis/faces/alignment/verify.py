"""Verification of a faces cache: completeness, consistency and state of its source."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from facedis.events import EventHandler, ignore_events, track
from facedis.faces.alignment.source_state import changed_images, source_state
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.cache_format import SPLITS, STATUSES, checksums
from facedis.result import record

#: Bytes of pixels per batch.
_BATCH_BYTES = 64_000_000
#: Maximum number of changed images in the result record.
MAX_LISTED = 20

Check = tuple[str, int]


def verify_cache(path: Path, handler: EventHandler = ignore_events, images: bool = False) -> dict[str, Any]:
    """Read every row of a faces cache and check its consistency.

    Args:
        path: The cache.
        handler: Receives the progress events.
        images: Also decode every image of the source, if it exists and has the same records.

    Returns:
        The result record of kind "verification": `checks` with the number of bad rows of each,
        `whole` if there is none, and the state of the `source`: "same", "changed" or "absent".

    Raises:
        CacheError: The file is not a readable faces cache.
        ConfigError: `images` is set for a cache stored as JPEG.
    """
    with FacesCache.open(path) as cache:
        source, plan = source_state(cache)
        changed = changed_images(cache, plan, handler) if images and plan else None
        checks = [{"what": what, "bad": int(bad), "rows": len(cache)} for what, bad in _checks(cache, handler)]
        return record(
            "verification",
            faces=str(path),
            rows=len(cache),
            checks=checks,
            whole=not any(check["bad"] for check in checks),
            source="changed" if changed else source,
            changed_images=None if changed is None else len(changed),
            changed_first=(changed or [])[:MAX_LISTED],
        )


def _checks(cache: FacesCache, handler: EventHandler) -> Iterator[Check]:
    """Yield each condition with the number of rows that violate it."""
    n, usable = len(cache), cache.usable
    for name in ("box", "landmarks", "probability", "grey", "status", "label", "split", "source", "identity"):
        yield f"the column {name} has a row for each face", abs(n - len(cache.column(name)))
    codes = cache.column("status")
    yield "no row is pending", (codes == STATUSES.index("pending")).sum()
    yield "labels are classes", ((cache.labels < -1) | (cache.labels >= len(cache.info.classes))).sum()
    yield "splits are known", (cache.column("split") >= len(SPLITS)).sum()
    yield "each image is one row", n - len(set(cache.sources.tolist()))
    yield from _geometry(cache, usable)
    yield from _pixels(cache, usable, handler)


def _geometry(cache: FacesCache, usable: np.ndarray) -> Iterator[Check]:
    box, probability = cache.column("box"), cache.column("probability")
    boxed = np.isfinite(box).all(axis=1)
    yield "boxes have an area", (boxed & ((box[:, 2] <= box[:, 0]) | (box[:, 3] <= box[:, 1]))).sum()
    yield "only rows with a face have a box", (boxed & ~usable).sum()
    if cache.info.detector not in ("none", "annotations"):
        found = np.isin(cache.status, ("ok", "several"))
        yield "detected faces have a box", (found & ~boxed).sum()
    yield "probabilities lie between 0 and 1", ((probability < 0) | (probability > 1)).sum()


def _pixels(cache: FacesCache, usable: np.ndarray, handler: EventHandler) -> Iterator[Check]:
    """Yield the conditions on the pixels, reading every face."""
    changed = left_over = wrong = 0
    grey, known = cache.column("grey"), cache.checksums
    with track(handler, "verify", len(cache)) as progress:
        for rows, faces in cache.batches(np.arange(len(cache)), max(_BATCH_BYTES // (3 * cache.info.size**2), 1)):
            blank = ~faces.reshape(len(rows), -1).any(axis=1)
            grey_faces = (faces == faces[..., :1]).all(axis=(1, 2, 3))
            changed += 0 if known is None else (checksums(faces) != known[rows]).sum()
            left_over += (~blank & ~usable[rows]).sum()
            wrong += ((grey_faces != grey[rows]) & usable[rows]).sum()
            progress.advance(len(rows))
    if known is not None:  # JPEG is lossy
        yield "pixels are those that were written", changed
    yield "rows without a face have no pixels", left_over
    yield "faces marked grey are grey, and no others", wrong
