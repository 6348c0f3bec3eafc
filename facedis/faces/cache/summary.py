"""Summary of a faces cache."""

from pathlib import Path
from typing import Any

import numpy as np

from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.cache_format import SPLITS
from facedis.result import record


def summarise_cache(path: Path) -> dict[str, Any]:
    """Return the result record of kind "faces" of the cache at `path`.

    Raises:
        CacheError: The file is not a faces cache.
    """
    with FacesCache.open(path) as cache:
        info = cache.info
        return record(
            "faces",
            faces=str(path),
            bytes=Path(path).stat().st_size,
            rows=len(cache),
            n=int(cache.usable.sum()),
            status=status_counts(cache),
            splits=split_counts(cache),
            people_in={
                split or "none": _count_identities(cache, split) for split in SPLITS if (cache.splits == split).any()
            },
            identities=len(set(cache.identities[cache.usable]) - {""}),
            grey=cache.grey,
            classes=info.classes,
            size=info.size,
            crop=info.crop,
            margin=info.margin,
            detector=info.detector,
            dataset=info.dataset,
            source=info.source,
            fingerprint=info.fingerprint,
            made_by=info.facedis,
        )


def status_counts(cache: FacesCache) -> dict[str, int]:
    """Count the rows per status."""
    names, counts = np.unique(cache.status, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def split_counts(cache: FacesCache) -> dict[str, dict[str, int]]:
    """Count the usable rows per split and expression; "none" stands for rows without a split."""
    splits = {}
    for split in SPLITS:
        labels = cache.labels[cache.usable & (cache.splits == split)]
        if len(labels):
            counts = {name: int((labels == number).sum()) for number, name in enumerate(cache.info.classes)}
            if (labels < 0).any():
                counts["unlabelled"] = int((labels < 0).sum())
            splits[split or "none"] = counts
    return splits


def _count_identities(cache: FacesCache, split: str) -> int:
    return len(set(cache.identities[cache.usable & (cache.splits == split)]) - {""})
