"""Nearest neighbours of expression codes among the faces of a cache or a file of codes."""

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
from facedis.tasks.similarity.rank_faces import CODES_SUFFIXES, open_model_codes

_BATCH_SIZE = 128


@dataclass(frozen=True)
class Neighbours:
    """Faces among which neighbours are searched.

    Attributes:
        codes: (n, E) float32 expression codes.
        images: (n,) str paths relative to the dataset's folder.
        expressions: (n,) str labels, "" where unknown.
    """

    codes: np.ndarray
    images: np.ndarray
    expressions: np.ndarray

    @classmethod
    def load(cls, run: Run, path: Path, device: str = "auto", handler: EventHandler = ignore_events) -> "Neighbours":
        """All faces of a cache, or of a file that `facedis embed` made with the same model.

        Raises:
            CacheError: The file is no faces cache, or the cache has no usable face.
            InputError: The codes are of another model, or the file has no expression codes.
        """
        if path.suffix.lower() in CODES_SUFFIXES:
            file = open_model_codes(run, path, "expression")
            ids = file.ids(np.arange(file.total))
            return cls(np.concatenate(list(file.blocks("expression"))), ids["image"], ids["expression"])
        codes, images, expressions, torch_device = [], [], [], pick_device(device)
        with FacesCache.open(path) as cache:
            source = faces_from_cache(cache, "all", _BATCH_SIZE)
            with track(handler, "encoding the neighbours", source.total) as progress:
                for block in source.blocks:
                    codes.append(encode_faces(run, block.faces, torch_device, ("expression",))["expression"])
                    images.append(block.ids["image"])
                    expressions.append(block.ids["expression"])
                    progress.advance(len(block.faces))
        return cls(np.concatenate(codes), np.concatenate(images), np.concatenate(expressions))

    def nearest(self, codes: np.ndarray, top_k: int) -> list[Sequence[dict[str, Any]]]:
        """The `top_k` nearest faces of each of (q, E) `codes`: `image`, `expression` (None if unknown), `cosine`."""
        indices, cosines = top_k_per_query(codes, self.codes, top_k)
        return [
            [
                {
                    "image": str(self.images[index]),
                    "expression": str(self.expressions[index]) or None,
                    "cosine": round(float(cosine), 4),
                }
                for index, cosine in zip(*row, strict=True)
            ]
            for row in zip(indices, cosines, strict=True)
        ]
