"""Temperature scaling of a run: fitted on the val split and stored in calibration.json."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from facedis.atomic_io import write_text
from facedis.errors import CacheError, RunError
from facedis.events import EventHandler, ignore_events, track
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
MAX_FACES = 10_000


@dataclass(frozen=True)
class Calibration:
    """The temperature of a run.

    Attributes:
        temperature: Divisor of the logits before the softmax; 1 if none was fitted.
        fitted: Whether a temperature was fitted.
    """

    temperature: float = 1.0
    fitted: bool = False

    @classmethod
    def from_run(cls, run: Run) -> "Calibration":
        """The calibration stored in the folder of `run`.

        Raises:
            RunError: calibration.json is broken.
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
    batch_size: int = 128,
    device: str = "auto",
    handler: EventHandler = ignore_events,
    seed: int = 0,
) -> dict[str, Any]:
    """Fit the temperature of `run` on the val split of `cache` and write it into the run folder.

    Args:
        run: The model.
        cache: A faces cache; at most `MAX_FACES` faces of its val split are used.
        batch_size: Faces per step.
        device: "auto", "cpu", "cuda" or "mps".
        handler: Receives progress.
        seed: Seed of the choice of faces and of the halves.

    Returns:
        `temperature`, `n`, `split`, `faces`; `ece` and `nll`, each with `before` and `after`. For `after`, each
        half of the faces is scaled by the temperature fitted on the other half.

    Raises:
        CacheError: The val split has no face with an expression of the run.
        OutputError: The run folder cannot be written.

    Source: Guo et al., On Calibration of Modern Neural Networks, 2017, section 4.2.
    """
    labels, rows = run_labels(run, cache), cache.rows("val")
    rows = rows[labels[rows] >= 0]
    if not len(rows):
        raise CacheError(f"{cache.path} has no val face to fit a temperature on", "align it with a --val-fraction")
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(rows)[:MAX_FACES])
    logits, labels = _logits(run, cache, rows, batch_size, device, handler), labels[rows]
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
    run: Run, cache: FacesCache, rows: np.ndarray, batch_size: int, device: str, handler: EventHandler
) -> np.ndarray:
    logits, torch_device = [], pick_device(device)
    batches = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    with track(handler, "calibrating", len(rows)) as progress:
        for _, faces in prefetch_batches(cache, batches):
            logits.append(encode_faces(run, faces, torch_device, ("logits",))["logits"])
            progress.advance(len(faces))
    return np.concatenate(logits)


def _before_and_after(logits: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """ECE and log loss of the unscaled logits, and of each half scaled by the temperature of the other half."""
    halves = np.array_split(rng.permutation(len(labels)), 2)
    scaled = np.array(logits, np.float64)
    for half, other in (halves, halves[::-1]):
        if len(other):
            scaled[half] /= fit_temperature(logits[other], labels[other])
    versions = {"before": logits, "after": scaled}
    return {
        "ece": {name: expected_calibration_error(softmax(values), labels) for name, values in versions.items()},
        "nll": {name: log_loss(values, labels) for name, values in versions.items()},
    }
