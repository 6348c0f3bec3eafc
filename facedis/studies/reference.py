"""Where a cosine lies: the cosines of same- and different-expression pairs of a run's own val split.

A cosine alone says nothing: between codes of different expressions it may well be 0.7. Training
writes these distributions beside the model, so that every later cosine can be placed in them.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from facedis.config import TrainConfig
from facedis.events import Listener
from facedis.faces.cache import FacesCache
from facedis.files import write_text
from facedis.measures.pairs import percentile_in, reference
from facedis.model.checkpoint import Run
from facedis.result import plain
from facedis.studies.encode import encode

REFERENCE = "reference.json"
#: Most faces that the distributions are made of.
FACES = 2_000


def write_reference(run: Run, cache: FacesCache, rows: np.ndarray, config: TrainConfig, listener: Listener) -> None:
    """Write the reference distributions of `rows` (at most `FACES` of them, seeded) into the run folder."""
    if len(rows) > FACES:
        rows = np.sort(np.random.default_rng(config.seed).choice(rows, FACES, replace=False))
    table = encode(run, cache, rows, 2 * config.batch, config.device, listener)
    codes = {"expression": table.expression, "rest": table.rest, "trunk": table.trunk}
    content = {
        name: reference(values, table.labels, table.identities, config.seed)
        for name, values in codes.items()
        if values is not None
    }
    content |= {"n": len(rows), "split": "val", "faces": str(cache.path)}
    write_text(run.path / REFERENCE, json.dumps(plain(content)) + "\n")


def read_reference(run: Path) -> dict[str, Any] | None:
    """The distributions of a run, None where its faces had no val split."""
    path = run / REFERENCE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def placed(cosine: float, code: str, distributions: dict[str, Any] | None) -> dict[str, float | None]:
    """`cosine` of two codes of kind `code` with its percentiles, 0..100, among both kinds of pairs."""
    found = (distributions or {}).get(code) or {}
    return {"cosine": cosine} | {
        f"percentile_{kind}": percentile_in(found[kind], cosine) if found.get(kind) else None
        for kind in ("same", "different")
    }
