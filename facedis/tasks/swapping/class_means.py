"""Mean expression code of each class over a run's train faces, cached in the run folder."""

import difflib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from facedis.errors import CacheError, ConfigError, OutputError
from facedis.events import EventHandler, ignore_events
from facedis.faces.cache.cache import FacesCache
from facedis.model.storage.checkpoint import Run, read_tensors, save_tensors
from facedis.tasks.encoding.encode import encode, run_labels
from facedis.taxonomy import ALIASES

CLASS_MEANS_FILE = "means.safetensors"
#: Maximum number of faces averaged per class.
MAX_PER_CLASS = 500


def class_mean_code(
    run: Run, expression: str, device: str = "auto", handler: EventHandler = ignore_events
) -> np.ndarray:
    """(E,) float32 mean expression code of the train faces labelled `expression`, in any known spelling.

    Raises:
        ConfigError: `expression` is none of the run's classes.
        CacheError: No means are cached and the run's train faces are missing or have changed.
    """
    index = _class_index(run, expression)
    return class_mean_codes(run, device, handler)[index]


def class_mean_codes(run: Run, device: str = "auto", handler: EventHandler = ignore_events) -> np.ndarray:
    """(K, E) float32 mean expression codes of all classes.

    Raises:
        CacheError: No means are cached and the run's train faces are missing or have changed.
    """
    path, fingerprint = run.path / CLASS_MEANS_FILE, run.fingerprint
    if path.is_file():
        tensors, metadata = read_tensors(path)
        if metadata.get("model") == fingerprint:  # otherwise the run was trained further
            return tensors["expression"].numpy()
    means = _compute_class_means(run, device, handler)
    if not run.packed:  # the files of a packed model do not change
        with suppress(OutputError):  # the means of a read-only run are computed every time
            write_class_means(run.path, run.classes, means, fingerprint)
    return means


def write_class_means(folder: Path, classes: Sequence[str], means: np.ndarray, model: str) -> None:
    """Write the (K, E) `means` of the model with the fingerprint `model` into `folder`."""
    metadata = {"classes": classes, "model": model}
    save_tensors(folder / CLASS_MEANS_FILE, {"expression": torch.from_numpy(means)}, metadata)


def _class_index(run: Run, expression: str) -> int:
    name = ALIASES.get(expression.strip().lower(), expression)
    if name not in run.classes:
        spellings = [spelling for spelling, meaning in ALIASES.items() if meaning in run.classes]
        near = difflib.get_close_matches(name, [*run.classes, *spellings], n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise ConfigError(
            f"{run.display_name} has no expression '{expression}'", f"{hint}choose one of: {', '.join(run.classes)}"
        )
    return run.classes.index(name)


def _compute_class_means(run: Run, device: str, handler: EventHandler) -> np.ndarray:
    hint = "give a second image to take the expression from, or align the same dataset again"
    if not run.faces.is_file():
        raise CacheError(f"the train faces of {run.display_name} are missing: {run.faces}", hint)
    with FacesCache.open(run.faces) as cache:
        if cache.info.fingerprint != run.info["faces"]["fingerprint"]:
            raise CacheError(f"{run.faces} is not the cache that {run.display_name} was trained on", hint)
        labels, train, rng = run_labels(run, cache), cache.rows("train"), np.random.default_rng(0)
        rows = [rng.permutation(train[labels[train] == index])[:MAX_PER_CLASS] for index in range(len(run.classes))]
        table = encode(run, cache, np.sort(np.concatenate(rows)), device=device, handler=handler)
    return np.stack([table.expression[table.labels == index].mean(axis=0) for index in range(len(run.classes))])
