"""Reference distributions of cosines: pairs of a run's own val split, with the same and with different labels.

A cosine has no absolute meaning: codes of different expressions may have a cosine of 0.7. Training writes these
distributions into the run folder, so that a cosine can be given as a percentile.
"""

import json
from collections.abc import Mapping
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
#: Maximum number of faces that the distributions are computed on.
MAX_FACES = 2_000
#: Default false accept rate of the thresholds.
FAR = 0.05
#: Bootstrap resamples of the AUC intervals.
BOOTSTRAP_SAMPLES = 500
#: Attributes compared by a cosine, with the distributions of equal and of different pairs.
ATTRIBUTES = {"expression": ("same", "different"), "person": ("same_person", "different_people")}

NO_REFERENCE = "the model's faces have no val split, so there are no percentiles"
OLD_REFERENCE = (
    "the model was trained by an older facedis, which stored neither identities nor AUCs: train it again, or use "
    "facedis similarity --faces F --sample N"
)
NO_IDENTITIES = "the model's val faces have no identities, so there are no percentiles among pairs of people"


@dataclass(frozen=True)
class ComparedCode:
    """Cosine of one code of two faces and its place among the reference pairs; None where these are missing.

    Attributes:
        cosine: Cosine similarity in [-1, 1].
        percentile_same: Percentage of pairs with the same expression that have a lower cosine.
        percentile_different: Likewise of pairs with different expressions.
        percentile_same_person: Likewise of pairs of one person.
        percentile_different_people: Likewise of pairs of two people.
        same_expression: Whether the cosine exceeds the threshold for the same expression.
        same_person: Whether the cosine exceeds the threshold for the same person.
    """

    cosine: float
    percentile_same: float | None = None
    percentile_different: float | None = None
    percentile_same_person: float | None = None
    percentile_different_people: float | None = None
    same_expression: bool | None = None
    same_person: bool | None = None


def write_reference(run: Run, cache: FacesCache, rows: np.ndarray, config: TrainConfig, handler: EventHandler) -> None:
    """Write the reference distributions of `rows` (a random choice of at most `MAX_FACES`) into the run folder."""
    if len(rows) > MAX_FACES:
        rows = np.sort(np.random.default_rng(config.seed).choice(rows, MAX_FACES, replace=False))
    table = encode(run, cache, rows, 2 * config.batch_size, config.runtime.device, handler)
    plan = Bootstrap(n_resamples=BOOTSTRAP_SAMPLES, seed=config.seed)
    content: dict[str, Any] = {
        name: reference_distributions(codes, table.labels, table.identities, plan)
        for name, codes in (("expression", table.expression), ("rest", table.rest), ("trunk", table.trunk))
        if codes is not None
    }
    content |= {"n": len(rows), "split": "val", "faces": str(cache.path)}
    write_text(run.path / REFERENCE_FILE, json.dumps(to_jsonable(content)) + "\n")


@dataclass(frozen=True)
class ReferenceDistribution:
    """The reference distributions of a run, and the false accept rate of its thresholds.

    Attributes:
        content: Content of reference.json; None if the run's faces have no val split.
        far: False accept rate in (0, 1): the share of different pairs above a threshold.
    """

    content: Mapping[str, Any] | None
    far: float = FAR

    @classmethod
    def load(cls, run: Path, far: float | None = None) -> "ReferenceDistribution":
        """Load the distributions of the run folder `run`.

        Raises:
            ConfigError: `far` is not between 0 and 1.
        """
        far = FAR if far is None else far
        if not 0 < far < 1:
            raise ConfigError(f"--far is {far:g}", "give a rate between 0 and 1")
        path = run / REFERENCE_FILE
        return cls(json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None, far)

    def compare(self, cosine: float, code: str) -> ComparedCode:
        """Percentiles and decisions for the `cosine` of two codes of the kind `code`."""
        return ComparedCode(
            cosine=cosine,
            percentile_same=self._percentile(cosine, code, "same"),
            percentile_different=self._percentile(cosine, code, "different"),
            percentile_same_person=self._percentile(cosine, code, "same_person"),
            percentile_different_people=self._percentile(cosine, code, "different_people"),
            same_expression=self._is_accepted(cosine, code, "different"),
            same_person=self._is_accepted(cosine, code, "different_people"),
        )

    def record(self) -> dict[str, Any] | None:
        """The `reference` of a record: the faces, and AUC and threshold of each code; None without a val split."""
        if self.content is None:
            return None
        faces = {key: self.content[key] for key in ("n", "split", "faces")}
        codes = {
            code: {f"same_{attribute}": self._separation(self.content[code], attribute) for attribute in ATTRIBUTES}
            for code in CODES
            if self.content.get(code) is not None
        }
        return faces | {"false_accepts": self.far, "codes": codes}

    @property
    def notes(self) -> list[str]:
        """What is missing, one sentence each."""
        if self.content is None:
            return [NO_REFERENCE]
        if "expression_auc" not in self.content["expression"]:
            return [OLD_REFERENCE]
        return [] if self._cosines("expression", "different_people") else [NO_IDENTITIES]

    def _percentile(self, cosine: float, code: str, kind: str) -> float | None:
        pairs = self._cosines(code, kind)
        return percentile_rank(pairs, cosine) if pairs else None

    def _is_accepted(self, cosine: float, code: str, different: str) -> bool | None:
        pairs = self._cosines(code, different)
        return cosine > threshold_above(pairs, self.far) if pairs else None

    def _separation(self, distributions: Mapping[str, Any], attribute: str) -> dict[str, Any] | None:
        """AUC, threshold and true accept rate of a code; None if a distribution is missing."""
        same, different = (distributions.get(kind) for kind in ATTRIBUTES[attribute])
        if not same or not different:
            return None
        threshold = threshold_above(different, self.far)
        return {
            "auc": distributions.get(f"{attribute}_auc"),
            "threshold": threshold,
            "accepted": fraction_above(same, threshold),
        }

    def _cosines(self, code: str, kind: str) -> list[float] | None:
        return ((self.content or {}).get(code) or {}).get(kind)
