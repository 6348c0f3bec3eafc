"""Where a cosine lies: the cosines of like and unlike pairs of a run's own val split.

A cosine alone says nothing: between codes of different expressions it may well be 0.7. Training
writes these distributions beside the model, so that every later cosine can be placed in them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facedis.atomic_io import write_text
from facedis.config import TrainConfig
from facedis.errors import ConfigError
from facedis.events import EventHandler
from facedis.faces.cache.cache import FacesCache
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.metrics.verification.cosine_distributions import (
    fraction_above,
    percentile_rank,
    reference_distributions,
    threshold_above,
)
from facedis.model.storage.checkpoint import Run
from facedis.result import to_jsonable
from facedis.tasks.encoding.encode import CODES, encode

REFERENCE_FILE = "reference.json"
#: Most faces that the distributions are made of.
FACES = 2_000
#: Share of unlike pairs that a threshold lets through, where the user does not say otherwise.
FALSE_ACCEPTS = 0.05
#: Resamples behind the interval of an AUC.
DRAWS = 500
#: What a cosine may tell, and the two kinds of pairs that show it.
TOLD = {"expression": ("same", "different"), "person": ("same_person", "different_people")}

NO_REFERENCE = "the run's faces have no val split, so there is nothing to place these cosines in"
OLD_REFERENCE = (
    "the run was trained by an older facedis, which wrote down neither people nor AUCs: "
    "a new training does, and so does facedis similarity --faces F --sample N"
)
NO_PEOPLE = "the run's val faces do not say who is who, so no cosine can be placed among people"


def write_reference(run: Run, cache: FacesCache, rows: np.ndarray, config: TrainConfig, handler: EventHandler) -> None:
    """Write the reference distributions of `rows` (at most `FACES` of them, seeded) into the run folder."""
    if len(rows) > FACES:
        rows = np.sort(np.random.default_rng(config.seed).choice(rows, FACES, replace=False))
    table = encode(run, cache, rows, 2 * config.batch_size, config.runtime.device, handler)
    codes = {"expression": table.expression, "rest": table.rest, "trunk": table.trunk}
    plan = Bootstrap(n_resamples=DRAWS, seed=config.seed)
    content = {
        name: reference_distributions(values, table.labels, table.identities, plan)
        for name, values in codes.items()
        if values is not None
    }
    content |= {"n": len(rows), "split": "val", "faces": str(cache.path)}
    write_text(run.path / REFERENCE_FILE, json.dumps(to_jsonable(content)) + "\n")


@dataclass(frozen=True)
class ReferenceDistribution:
    """The distributions of a run, and the error at which its thresholds are taken.

    Attributes:
        content: What reference.json holds; None where the run's faces had no val split.
        false_accepts: Share, 0..1, of unlike pairs above a threshold.
    """

    content: dict[str, Any] | None
    false_accepts: float = FALSE_ACCEPTS

    @classmethod
    def load(cls, run: Path, false_accepts: float | None = None) -> "ReferenceDistribution":
        """The reference of the run folder `run`.

        Raises:
            ConfigError: `false_accepts` is no share.
        """
        share = FALSE_ACCEPTS if false_accepts is None else false_accepts
        if not 0 < share < 1:
            raise ConfigError(f"--far is {share:g}", "it must be a share between 0 and 1")
        path = run / REFERENCE_FILE
        return cls(json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None, share)

    def placed(self, cosine: float, code: str) -> dict[str, float | bool | None]:
        """`cosine` of two codes of kind `code` with its place among all kinds of pairs.

        Returns:
            `cosine`; `percentile_same`, `percentile_different`, `percentile_same_person` and
            `percentile_different_people`, 0..100; `same_expression` and `same_person`, whether it
            lies above the threshold of the stated error. None where the run does not know.
        """
        found: dict[str, float | bool | None] = {"cosine": cosine}
        for kind in (kind for pair in TOLD.values() for kind in pair):
            known = self._distribution(code, kind)
            found[f"percentile_{kind}"] = percentile_rank(known, cosine) if known else None
        for told, (_, unlike) in TOLD.items():
            known = self._distribution(code, unlike)
            found[f"same_{told}"] = cosine > threshold_above(known, self.false_accepts) if known else None
        return found

    def record(self) -> dict[str, Any] | None:
        """What a result record says of the reference: its faces, and for each code how well cosines tell."""
        if self.content is None:
            return None
        about = {key: self.content[key] for key in ("n", "split", "faces")}
        codes = {
            code: {f"same_{told}": self._told(code, told) for told in TOLD}
            for code in CODES
            if self.content.get(code) is not None
        }
        return about | {"false_accepts": self.false_accepts, "codes": codes}

    @property
    def remarks(self) -> list[str]:
        """What is missing, a sentence each."""
        if self.content is None:
            return [NO_REFERENCE]
        if "expression_auc" not in self.content["expression"]:
            return [OLD_REFERENCE]
        return [] if self._distribution("expression", "different_people") else [NO_PEOPLE]

    def _told(self, code: str, told: str) -> dict[str, Any] | None:
        """AUC, threshold and the share of like pairs above it; None where there is no such distribution."""
        like, unlike = (self._distribution(code, kind) for kind in TOLD[told])
        if not like or not unlike:
            return None
        threshold = threshold_above(unlike, self.false_accepts)
        auc = self.content[code].get(f"{told}_auc")
        return {"auc": auc, "threshold": threshold, "accepted": fraction_above(like, threshold)}

    def _distribution(self, code: str, kind: str) -> list[float] | None:
        return ((self.content or {}).get(code) or {}).get(kind)
