"""Several trainings side by side: the paper's Tables 1 and 2, or any grid from a file."""

import json
import multiprocessing
import os
import re
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

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
from facedis.result import Result, write_result
from facedis.tasks.evaluation.evaluation import evaluate
from facedis.tasks.experiments.training import TrainOptions, is_unfinished, resolve_settings, resume, train
from facedis.training.setup import NO_CODE_GRADIENT

#: Set in a worker process once a training in it was stopped.
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


#: Keys of an evaluation that a row has.
EVALUATION_KEYS = ("task", "leakage", "retention", "collapse", "parts", "reasons", "n", "notes")


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class AblationResult(Result):
    """Trained and evaluated rows.

    Attributes:
        model: Folder of the runs.
        faces: The faces cache.
        dataset: Name of the reader.
        split: The evaluated split.
        n: Evaluated faces.
        classes: Expressions.
        seed: The first seed.
        seeds: All seeds.
        rows: One per variant and seed, with `name`, `seed`, `settings`, `paper`, the keys of an evaluation, and
            `against_first`, the comparison with the first variant of the same seed.
    """

    kind: ClassVar[str] = "ablation"

    model: str
    faces: str
    dataset: str
    split: str
    n: int
    classes: Sequence[str]
    seed: int
    seeds: Sequence[int]
    rows: Sequence[Mapping[str, Any]]

    def table_rows(self) -> Sequence[Mapping[str, Any]]:
        """The rows without texts and counts."""
        keys = ("name", "seed", "settings", "task", "leakage", "retention", "collapse", "n")
        return [{key: row[key] for key in keys} for row in self.rows]

    def summary(self) -> Mapping[str, object]:
        """The names of the rows."""
        return {"rows": [row["name"] for row in self.rows]}


def ablate(
    faces: Path,
    folder: Path,
    options: TrainOptions,
    config: EvalConfig,
    handler: EventHandler = ignore_events,
    seeds: Sequence[int] = (),
    variants: Sequence[Variant] = PAPER_ROWS,
    jobs: int = 1,
) -> AblationResult:
    """Train and evaluate every variant with every seed. Finished rows in `folder` are reused.

    Args:
        faces: The faces cache.
        folder: Folder for one run folder per row, and result.json.
        options: Preset and settings of all rows.
        config: Settings of the evaluation.
        handler: Receives notes and progress.
        seeds: Seeds of the training; if empty, the seed of `options`.
        variants: The variants.
        jobs: Number of runs trained in parallel; the cores are divided among them.

    Returns:
        The result, whose record is also in result.json in `folder`.

    Raises:
        OutputError: The folder has a run of the same name with other settings or faces, or is being
            written by another process.
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
        result = AblationResult(
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
        result.save(folder / "result.json")
    return result


def _seed(options: TrainOptions) -> int:
    return options.given.get("train", {}).get("seed", TrainConfig.seed)


def _flat(tables: Tables) -> dict[str, Any]:
    """Settings by name, as in the record; those of the table `decoder` have its name as a prefix."""
    return {
        f"decoder.{name}" if table == "decoder" else name: value
        for table, values in tables.items()
        for name, value in values.items()
    }


class Predictions(NamedTuple):
    """For each face whether the prediction is correct, (n,) bool, and its identity, (n,) str."""

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
    """Options of one row: no decoder for a baseline, and a joint one for beta1 > 0 unless the row names one."""
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
    """Train all rows in worker processes."""
    threads = max(1, (os.cpu_count() or 1) // jobs)
    note(handler, f"training {len(row_options)} rows, {jobs} at a time on {threads} threads each")
    context = multiprocessing.get_context("spawn")  # forking is unsafe once torch has threads
    with ProcessPoolExecutor(jobs, context, _start_worker, (threads,)) as pool:
        pending = {
            pool.submit(_train_in_worker, faces, fingerprint, folder, options): options for options in row_options
        }
        try:
            for done in as_completed(pending):
                done.result()
                note(handler, f"trained {pending[done].name}")
        except BrokenProcessPool as error:
            raise _interrupted() from error
        except BaseException as error:
            # Each training saves a checkpoint and ends. Ctrl-C reaches the workers; a second signal would kill them.
            for worker in multiprocessing.active_children() if not isinstance(error, KeyboardInterrupt) else ():
                worker.terminate()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _interrupted() -> RunError:
    return RunError("a training was interrupted", "run the same command again to resume it")


def _start_worker(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def _train_in_worker(faces: Path, fingerprint: str, folder: Path, options: TrainOptions) -> None:
    """`_train_or_resume` in a worker process; after an interruption the worker skips its remaining rows."""
    if _STOPPED.is_set():
        return
    try:
        _train_or_resume(faces, fingerprint, folder, options)
    except (KeyboardInterrupt, SystemExit):
        _STOPPED.set()  # exiting would make the pool kill the other workers while they save
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
        note(handler, f"{run} is already trained")
    else:
        resume(run, handler)


def _evaluate_or_load(
    run: Path, faces: Path, config: EvalConfig, handler: EventHandler
) -> tuple[dict[str, Any], Predictions]:
    """The evaluation record and the predictions of a run, from its folder if they are there."""
    output = run / f"eval-{config.split}"
    saved = output / "predictions.npz"
    if (output / "result.json").exists() and saved.exists():
        record = json.loads((output / "result.json").read_text(encoding="utf-8"))
        if record["settings"] == as_dict(config) and Path(record["faces"]) == faces:
            with np.load(saved) as arrays:
                return record, Predictions(arrays["correct"], arrays["identities"])
    with FacesCache.open(faces) as cache:
        evaluation = evaluate(load_run(run), cache, config, handler)
    result, table = evaluation.to_dict(), evaluation.codes
    predictions = Predictions(table.probabilities.argmax(axis=1) == table.labels, table.identities)
    with atomic_write(saved) as temporary:
        np.savez(temporary, correct=predictions.correct, identities=predictions.identities)
    write_result(result, output / "result.json")
    return result, predictions
