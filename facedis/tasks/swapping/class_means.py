"""The mean expression code of each class, made once of a run's own train faces and kept beside the run."""

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
#: Most faces of a class that its mean is made of.
EACH = 500


def class_mean_code(
    run: Run, expression: str, device: str = "auto", handler: EventHandler = ignore_events
) -> np.ndarray:
    """(E,) float32 mean expression code of the train faces that show `expression`, in any known spelling.

    Raises:
        ConfigError: The run does not know it.
        CacheError: No means are kept yet, and the faces that the run was trained on are gone or others.
    """
    number = _number(run, expression)
    return class_mean_codes(run, device, handler)[number]


def class_mean_codes(run: Run, device: str = "auto", handler: EventHandler = ignore_events) -> np.ndarray:
    """(K, E) float32, that of every class.

    Raises:
        CacheError: As `class_mean_code`.
    """
    path, model = run.path / CLASS_MEANS_FILE, run.fingerprint
    if path.is_file():
        tensors, about = read_tensors(path)
        if about.get("model") == model:  # else the run was trained on since
            return tensors["expression"].numpy()
    means = _means(run, device, handler)
    if not run.packed:  # it stays as it was packed
        with suppress(OutputError):  # a run that may only be read is made of anew each time
            write_class_means(run.path, run.classes, means, model)
    return means


def write_class_means(folder: Path, classes: Sequence[str], means: np.ndarray, model: str) -> None:
    """Keep the (K, E) `means` of the model whose fingerprint is `model` beside it."""
    save_tensors(
        folder / CLASS_MEANS_FILE, {"expression": torch.from_numpy(means)}, {"classes": classes, "model": model}
    )


def _number(run: Run, expression: str) -> int:
    name = ALIASES.get(expression.strip().lower(), expression)
    if name not in run.classes:
        known = [spelling for spelling, meant in ALIASES.items() if meant in run.classes]
        near = difflib.get_close_matches(name, [*run.classes, *known], n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise ConfigError(
            f"{run.display_name} knows no expression '{expression}'", f"{hint}choose one of: {', '.join(run.classes)}"
        )
    return run.classes.index(name)


def _means(run: Run, device: str, handler: EventHandler) -> np.ndarray:
    """(K, E) float32, from at most `EACH` train faces of each class."""
    instead = "give a second image to take the expression from, or align the same dataset again"
    if not run.faces.is_file():
        raise CacheError(f"the faces that {run.display_name} was trained on are not here: {run.faces}", instead)
    with FacesCache.open(run.faces) as cache:
        if cache.info.fingerprint != run.info["faces"]["fingerprint"]:
            raise CacheError(f"{run.faces} is not the cache that {run.display_name} was trained on", instead)
        labels, train = run_labels(run, cache), cache.rows("train")
        generator = np.random.default_rng(0)
        of_class = [generator.permutation(train[labels[train] == number])[:EACH] for number in range(len(run.classes))]
        table = encode(run, cache, np.sort(np.concatenate(of_class)), device=device, handler=handler)
    return np.stack([table.expression[table.labels == number].mean(axis=0) for number in range(len(run.classes))])
