"""The known faces whose expression codes are nearest to those of new ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facedis.events import EventHandler, ignore_events, track
from facedis.faces.alignment.sources import faces_from_cache
from facedis.faces.cache.cache import FacesCache
from facedis.metrics.verification.ranking import top_k_per_query
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run
from facedis.tasks.encoding.encode import encode_faces
from facedis.tasks.similarity.rank_faces import CODES_SUFFIXES, codes_in

_BATCH = 128


@dataclass(frozen=True)
class Neighbours:
    """Faces to be compared with.

    Attributes:
        codes: (n, E) float32 expression codes.
        images: (n,) str, their paths below the dataset's folder.
        expressions: (n,) str, "" where unknown.
    """

    codes: np.ndarray
    images: np.ndarray
    expressions: np.ndarray

    @classmethod
    def load(cls, run: Run, place: Path, device: str = "auto", handler: EventHandler = ignore_events) -> "Neighbours":
        """All faces of a cache, or of a file that `embed` made with the same model.

        Raises:
            CacheError: It is no faces cache, or an empty one.
            InputError: The codes are of another model, or there are no expression codes.
        """
        if place.suffix.lower() in CODES_SUFFIXES:
            file = codes_in(run, place, "expression")
            ids = file.ids(np.arange(file.total))
            return cls(np.concatenate(list(file.blocks("expression"))), ids["image"], ids["expression"])
        codes, images, expressions, where = [], [], [], pick_device(device)
        with FacesCache.open(place) as cache:
            source = faces_from_cache(cache, "all", _BATCH)
            with track(handler, "encoding the neighbours", source.total) as progress:
                for block in source.blocks:
                    codes.append(encode_faces(run, block.faces, where, ("expression",))["expression"])
                    images.append(block.ids["image"])
                    expressions.append(block.ids["expression"])
                    progress.advance(len(block.faces))
        return cls(*map(np.concatenate, (codes, images, expressions)))

    def nearest(self, codes: np.ndarray, top: int) -> list[Sequence[dict[str, Any]]]:
        """For each of (q, E) `codes` its `top` neighbours: `image`, `expression` (None where unknown), `cosine`."""
        places, cosines = top_k_per_query(codes, self.codes, top)
        return [
            [
                {
                    "image": str(self.images[place]),
                    "expression": str(self.expressions[place]) or None,
                    "cosine": round(float(cosine), 4),
                }
                for place, cosine in zip(*row, strict=True)
            ]
            for row in zip(places, cosines, strict=True)
        ]
