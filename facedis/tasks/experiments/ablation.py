"""Several trainings side by side: the paper's Tables 1 and 2, or any grid from a file."""

import json
import multiprocessing
import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from facedis.atomic_io import atomic_write
from facedis.config import (
    TABLES,
    EvalConfig,
    ModelConfig,
    Tables,
    TrainConfig,
    as_dict,
    merge_tables,
    read_toml,
    resolve,
    resolve_tables,
    to_tables,
)
from facedis.config.settings_file import parse_settings
from facedis.errors import ConfigError, OutputError, RunError
from facedis.events import EventHandler, ignore_events, note
from facedis.faces.cache.cache import FacesCache
from facedis.locks import folder_lock
from facedis.metrics.statistics.comparison import mcnemar
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.model.storage.checkpoint import CHECKPOINT, MODEL, RUN, load_run, read_info
from facedis.result import record, write_result
from facedis.tasks.evaluation.evaluation import evaluate
from facedis.tasks.experiments.training import TrainOptions, is_unfinished, resolve_settings, resume, train
from facedis.training.setup import NO_CODE_GRADIENT

#: In a process for trainings: whether one of them was stopped.
_STOPPED = threading.Event()


@dataclass(frozen=True)
class Variant:
    """A row of the table.

    Attributes:
        name: Name of the row and of its run folder.
        settings: Settings by table that differ from those of the other rows.
        paper: The paper's numbers for the row, as fractions.
        preset: Preset of the row; None for that of the ablation.
    """

    name: str
    settings: Tables = field(default_factory=dict)
    paper: Mapping[str, float | None] = field(default_factory=dict)
    preset: str | None = None


#: Table 1's baseline and Table 2, top to bottom.
PAPER_ROWS = (
    Variant("baseline", {"model": {"baseline": True}}, paper={"c_exp": 0.56, "c_adv": None}),
    Variant("beta1-1.0", {"train": {"beta1": 1.0}}, paper={"c_exp": 0.51, "c_adv": 0.46}),
    Variant("beta1-0.001", {"train": {"beta1": 0.001}}, paper={"c_exp": 0.56, "c_adv": 0.53}),
    Variant("beta1-0", {"train": {"beta1": 0.0}}, paper={"c_exp": 0.6053, "c_adv": 0.16}),
)


def read_grid(path: Path) -> tuple[Variant, ...]:
    """The rows of a grid file: tables [[row]] with a name, and optionally a preset and tables of settings.

    Raises:
        InputError: The file is missing or is not TOML.
        ConfigError: A row has no name of its own or a key that no row has.
    """
    rows = read_toml(path).get("row")
    if not isinstance(rows, list) or not rows:
        raise ConfigError(f"{path} has no [[row]]", "see examples/grid.toml for the form")
    found = tuple(_variant(path, number, row) for number, row in enumerate(rows, 1))
    names = [variant.name for variant in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"{path}: two rows are called '{twice}'", "give each row a name of its own")
    return found


def _variant(path: Path, number: int, row: Mapping[str, Any]) -> Variant:
    words = ("name", "preset", "paper")
    wrong = next((key for key in row if key not in (*words, *TABLES)), None)
    if wrong is not None:
        known = ", ".join((*words, *TABLES))
        raise ConfigError(f"{path}: row {number} has an unknown key '{wrong}'", f"known: {known}")
    if not re.fullmatch(r"[\w.+-]+", str(row.get("name", ""))):
        raise ConfigError(f"{path}: row {number} has no name that a folder can have", 'add name = "..."')
    tables = parse_settings({key: value for key, value in row.items() if key not in words}, str(path)).tables
    resolve_tables(ModelConfig, tables)
    resolve_tables(TrainConfig, tables)
    return Variant(row["name"], tables, row.get("paper", {}), row.get("preset"))


#: Of an evaluation, what a row has.
EVALUATION_KEYS = ("task", "leakage", "retention", "collapse", "parts", "reasons", "n", "notes")


def ablate(
    faces: Path,
    folder: Path,
    options: TrainOptions,
    config: EvalConfig,
    handler: EventHandler = ignore_events,
    seeds: Sequence[int] = (),
    variants: Sequence[Variant] = PAPER_ROWS,
    jobs: int = 1,
) -> dict[str, Any]:
    """Train and evaluate every row under every seed; what is there already is not done again.

    Args:
        faces: The cache.
        folder: One run folder a row (and seed, where there are several), and result.json.
        options: Preset and settings common to all rows.
        config: How to evaluate.
        handler: Told of the progress.
        seeds: Of the training; none: the one of `options`, typed or in its file.
        variants: The rows.
        jobs: How many runs are trained side by side, each on its share of the cores.

    Returns:
        The record of kind "ablation": one row for each variant and seed. Each is compared with the
        first variant of the same seed on the same faces.

    Raises:
        OutputError: The folder holds a row of other settings, or is being written by another process.
    """
    with FacesCache.open(faces) as cache:
        dataset, fingerprint = cache.info.dataset, cache.info.fingerprint
    chosen = tuple(seeds) or (_seed(options),)
    rows: list[dict[str, Any]] = []
    first: dict[int, Predictions] = {}
    row_options = [
        _options_of_row(options, folder, variant, seed, len(chosen) > 1) for variant, seed in product(variants, chosen)
    ]
    with folder_lock(folder):
        if jobs > 1:
            _train_in_parallel(faces, fingerprint, folder, row_options, jobs, handler)
        for number, (one, (variant, seed)) in enumerate(zip(row_options, product(variants, chosen), strict=True), 1):
            name = str(one.name)
            note(handler, f"row {number} of {len(row_options)}: {name}")
            _train_or_resume(faces, fingerprint, folder, one, handler)
            measured, predictions = _evaluate_or_load(folder / name, faces, config, handler)
            first.setdefault(seed, predictions)
            rows.append(
                {"name": variant.name, "seed": seed, "settings": _flat(variant.settings), "paper": variant.paper}
                | {key: measured[key] for key in EVALUATION_KEYS}
                | {"against_first": None if variant is variants[0] else _compare(predictions, first[seed], config)}
            )
        result = record(
            "ablation",
            command=" ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
            model=str(folder),
            faces=str(faces),
            dataset=dataset,
            split=config.split,
            n=rows[0]["n"],
            classes=measured["classes"],
            seed=chosen[0],
            seeds=chosen,
            rows=rows,
        )
        write_result(result, folder / "result.json")
    return result


def _seed(options: TrainOptions) -> int:
    return options.given.get("train", {}).get("seed", TrainConfig.seed)


def _flat(tables: Tables) -> dict[str, Any]:
    """Settings by name, as in the record; those of the decoder's table carry its name."""
    return {
        f"decoder.{name}" if table == "decoder" else name: value
        for table, values in tables.items()
        for name, value in values.items()
    }


class Predictions(NamedTuple):
    """What a run says about each face: (n,) bool whether it is right, and (n,) str who it is."""

    correct: np.ndarray
    identities: np.ndarray


def _compare(predictions: Predictions, first: Predictions, config: EvalConfig) -> dict[str, Any]:
    found = mcnemar(
        predictions.correct,
        first.correct,
        predictions.identities,
        Bootstrap(n_resamples=config.bootstrap_samples, seed=config.seed),
    )
    return asdict(found)


def _options_of_row(options: TrainOptions, folder: Path, variant: Variant, seed: int, several: bool) -> TrainOptions:
    """Options of one row; a decoder asked for has no place in the baseline, nor where a row's beta1 needs another."""
    tables = merge_tables(
        to_tables((ModelConfig, TrainConfig), options.settings), {"train": {"seed": seed}}, variant.settings
    )
    row = variant.settings.get("model", {})
    decoder = tables.get("model", {}).get("decoder") or options.file.tables.get("model", {}).get("decoder")
    if row.get("baseline"):
        tables.setdefault("model", {})["decoder"] = "none"
    elif variant.settings.get("train", {}).get("beta1") and "decoder" not in row and decoder in NO_CODE_GRADIENT:
        tables.setdefault("model", {})["decoder"] = "joint"
    name = f"{variant.name}-seed{seed}" if several else variant.name
    return replace(options, name=name, folder=folder, preset=variant.preset or options.preset, settings=tables)


def _train_in_parallel(
    faces: Path, fingerprint: str, folder: Path, row_options: Sequence[TrainOptions], jobs: int, handler: EventHandler
) -> None:
    """Train all rows in processes of their own; the loop that measures finds them finished."""
    threads = max(1, (os.cpu_count() or 1) // jobs)
    note(handler, f"training {len(row_options)} rows, {jobs} at a time on {threads} threads each")
    context = multiprocessing.get_context("spawn")  # torch has threads by now
    with ProcessPoolExecutor(jobs, context, _start_worker, (threads,)) as pool:
        waiting = {
            pool.submit(_train_in_worker, faces, fingerprint, folder, options): options for options in row_options
        }
        try:
            for done in as_completed(waiting):
                done.result()
                note(handler, f"trained {waiting[done].name}")
        except BrokenProcessPool as error:
            raise _interrupted() from error
        except BaseException as error:
            # Each training saves what it has and ends. A Ctrl-C they have heard themselves, and a second signal kills.
            for worker in multiprocessing.active_children() if not isinstance(error, KeyboardInterrupt) else ():
                worker.terminate()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _interrupted() -> RunError:
    return RunError("a training was ended from outside", "the same command goes on where it was")


def _start_worker(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def _train_in_worker(faces: Path, fingerprint: str, folder: Path, options: TrainOptions) -> None:
    """`_train_or_resume` in a process of a pool, which would hand the next row to one that was stopped."""
    if _STOPPED.is_set():
        return
    try:
        _train_or_resume(faces, fingerprint, folder, options)
    except (KeyboardInterrupt, SystemExit):
        _STOPPED.set()  # and no abrupt end: the pool would end the others while they save
        raise _interrupted() from None


def _train_or_resume(
    faces: Path, fingerprint: str, folder: Path, options: TrainOptions, handler: EventHandler = ignore_events
) -> None:
    run = folder / str(options.name)
    if not (run / RUN).exists():
        train(faces, options, handler)
        return
    info = read_info(run)
    with FacesCache.open(faces) as cache:
        _, model, training = resolve_settings(options, cache)
    same = resolve(ModelConfig, info["model"]) == model and resolve(TrainConfig, info["train"]) == training
    if not same or info["faces"]["fingerprint"] != fingerprint:
        raise OutputError(f"{run} was trained with other settings or faces", "choose another -o, or delete it")
    if (run / MODEL).exists() and not (run / CHECKPOINT).exists() and not is_unfinished(run):
        note(handler, f"{run} is trained already")
    else:  # from its last checkpoint, or from the start where there was none yet, or only what comes after training
        resume(run, handler)


def _evaluate_or_load(
    run: Path, faces: Path, config: EvalConfig, handler: EventHandler
) -> tuple[dict[str, Any], Predictions]:
    """The record of a run's evaluation and its predictions, from its folder where they are there."""
    place = run / f"eval-{config.split}"
    kept = place / "predictions.npz"
    if (place / "result.json").exists() and kept.exists():
        found = json.loads((place / "result.json").read_text(encoding="utf-8"))
        if found["settings"] == as_dict(config) and Path(found["faces"]) == faces:
            with np.load(kept) as arrays:
                return found, Predictions(arrays["correct"], arrays["identities"])
    with FacesCache.open(faces) as cache:
        evaluation = evaluate(load_run(run), cache, config, handler)
    result, table = evaluation.to_dict(), evaluation.codes
    predictions = Predictions(table.probabilities.argmax(axis=1) == table.labels, table.identities)
    with atomic_write(kept) as temporary:
        np.savez(temporary, correct=predictions.correct, identities=predictions.identities)
    write_result(result, place / "result.json")
    return result, predictions
