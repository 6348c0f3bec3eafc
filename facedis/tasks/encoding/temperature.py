"""The temperature of a run: fitted on its val split, kept in calibration.json, used by predictions."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from facedis.atomic_io import write_text
from facedis.errors import CacheError, RunError
from facedis.events import Event, EventHandler, ignore_events
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.loader import prefetch_batches
from facedis.metrics.classification.calibration import (
    TEMPERATURE_RANGE,
    expected_calibration_error,
    fit_temperature,
    log_loss,
    softmax,
)
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run
from facedis.result import to_jsonable
from facedis.tasks.encoding.encode import encode_faces, run_labels

CALIBRATION = "calibration.json"
#: Most faces that a temperature is fitted on.
FACES = 10_000


@dataclass(frozen=True)
class Calibration:
    """By what a run's logits are divided before they become probabilities.

    Attributes:
        temperature: That number; 1 where none was fitted.
        fitted: Whether the run has one.
    """

    temperature: float = 1.0
    fitted: bool = False

    @classmethod
    def from_run(cls, run: Run) -> "Calibration":
        """What the folder of `run` says.

        Raises:
            RunError: calibration.json is there and is broken.
        """
        path = run.path / CALIBRATION
        if not path.is_file():
            return cls()
        try:
            temperature = float(json.loads(path.read_text(encoding="utf-8"))["temperature"])
            if not TEMPERATURE_RANGE[0] <= temperature <= TEMPERATURE_RANGE[1]:
                raise ValueError(f"its temperature is {temperature:g}")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} is broken: {error}", "delete it to predict without a temperature") from error
        return cls(temperature, fitted=True)


def calibrate(
    run: Run,
    cache: FacesCache,
    batch: int = 128,
    device: str = "auto",
    handler: EventHandler = ignore_events,
    seed: int = 0,
) -> dict[str, Any]:
    """Fit the temperature of `run` on the val split of `cache` and write it into the run folder.

    Args:
        run: The model.
        cache: Faces that it was not trained on, at most `FACES` of whose val split are used.
        batch: Faces at a time.
        device: As in the settings.
        handler: Told of the progress.
        seed: Of the choice of faces and of the halves.

    Returns:
        `temperature`, `n`, `split`, `faces`; `ece` and `nll`, each `before` and `after`. What is said of
        a face in `after` comes from a temperature that was fitted on the other half of the faces.

    Raises:
        CacheError: The cache has no val face with an expression that the run knows.
        OutputError: The run folder cannot be written.
    """
    labels, rows = run_labels(run, cache), cache.rows("val")
    rows = rows[labels[rows] >= 0]
    if not len(rows):
        raise CacheError(f"{cache.path} has no val face to fit a temperature on", "align it with a --val-share")
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(rows)[:FACES])
    logits, labels = _logits(run, cache, rows, batch, device, handler), labels[rows]
    found = {
        "temperature": fit_temperature(logits, labels),
        "n": len(rows),
        "split": "val",
        "faces": str(cache.path),
        **_before_and_after(logits, labels, rng),
    }
    write_text(run.path / CALIBRATION, json.dumps(to_jsonable(found), indent=2) + "\n")
    return found


def _logits(
    run: Run, cache: FacesCache, rows: np.ndarray, batch: int, device: str, handler: EventHandler
) -> np.ndarray:
    pieces, done, place = [], 0, pick_device(device)
    handler(Event("start", "calibrating", total=len(rows)))
    for _, faces in prefetch_batches(cache, [rows[start : start + batch] for start in range(0, len(rows), batch)]):
        pieces.append(encode_faces(run, faces, place, ("logits",))["logits"])
        done += len(faces)
        handler(Event("advance", "calibrating", done=done))
    handler(Event("end", "calibrating", done=done))
    return np.concatenate(pieces)


def _before_and_after(logits: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Calibration error and log loss without a temperature, and with that of the other half."""
    halves = np.array_split(rng.permutation(len(labels)), 2)
    scaled = np.array(logits, np.float64)
    for own, other in (halves, halves[::-1]):
        if len(other):
            scaled[own] /= fit_temperature(logits[other], labels[other])
    both = {"before": logits, "after": scaled}
    return {
        "ece": {name: expected_calibration_error(softmax(values), labels) for name, values in both.items()},
        "nll": {name: log_loss(values, labels) for name, values in both.items()},
    }
