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

from facedis.atomic_io import replacing
from facedis.config import EvalConfig, ModelConfig, TrainConfig, as_dict, read_toml, resolve
from facedis.errors import ConfigError, OutputError, RunError
from facedis.events import Listener, note, silent
from facedis.faces.cache.cache import FacesCache
from facedis.metrics.statistics.comparison import mcnemar
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.model.storage.checkpoint import CHECKPOINT, MODEL, load_run, read_info
from facedis.presets import choose
from facedis.result import record, write_result
from facedis.tasks.evaluation.evaluation import measure
from facedis.tasks.experiments.training import Wish, lacks_record, resume, settings, train
from facedis.training.setup import UNHEARD

#: In a process for trainings: whether one of them was stopped.
_STOPPED = threading.Event()


@dataclass(frozen=True)
class Variant:
    """A row of the table: what differs, and what the paper prints for it, as shares."""

    name: str
    model: Mapping[str, Any] = field(default_factory=dict)
    train: Mapping[str, Any] = field(default_factory=dict)
    paper: Mapping[str, float | None] = field(default_factory=dict)
    preset: str | None = None


#: Table 1's baseline and Table 2, top to bottom.
PAPER_ROWS = (
    Variant("baseline", model={"baseline": True}, paper={"c_exp": 0.56, "c_adv": None}),
    Variant("beta1-1.0", train={"beta1": 1.0}, paper={"c_exp": 0.51, "c_adv": 0.46}),
    Variant("beta1-0.001", train={"beta1": 0.001}, paper={"c_exp": 0.56, "c_adv": 0.53}),
    Variant("beta1-0", train={"beta1": 0.0}, paper={"c_exp": 0.6053, "c_adv": 0.16}),
)


def read_grid(path: Path) -> tuple[Variant, ...]:
    """The rows of a grid file: tables [[row]] with a name, and where they want, a preset, [row.model], [row.train].

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
    known = Variant.__dataclass_fields__
    wrong = next((key for key in row if key not in known), None)
    if wrong is not None:
        raise ConfigError(f"{path}: row {number} has an unknown key '{wrong}'", f"known: {', '.join(known)}")
    if not re.fullmatch(r"[\w.+-]+", str(row.get("name", ""))):
        raise ConfigError(f"{path}: row {number} has no name that a folder can have", 'add name = "..."')
    resolve(ModelConfig, row.get("model", {}))
    resolve(TrainConfig, row.get("train", {}))
    return Variant(**row)


#: Of an evaluation, what a row has.
MEASURED = ("task", "leakage", "retention", "collapse", "parts", "reasons", "n", "notes")


def ablate(
    faces: Path,
    folder: Path,
    wish: Wish,
    config: EvalConfig,
    listener: Listener = silent,
    seeds: Sequence[int] = (),
    variants: Sequence[Variant] = PAPER_ROWS,
    jobs: int = 1,
) -> dict[str, Any]:
    """Train and evaluate every row under every seed; what is there already is not done again.

    Args:
        faces: The cache.
        folder: One run folder a row (and seed, where there are several), and result.json.
        wish: Preset and settings common to all rows.
        config: How to evaluate.
        listener: Told of the progress.
        seeds: Of the training; none: the one of `wish`, typed or in its file.
        variants: The rows.
        jobs: How many runs are trained side by side, each on its share of the cores.

    Returns:
        The record of kind "ablation": one row for each variant and seed. Each is compared with the
        first variant of the same seed on the same faces.

    Raises:
        OutputError: The folder holds a row of other settings.
    """
    with FacesCache.open(faces) as cache:
        dataset, fingerprint = cache.info.dataset, cache.info.fingerprint
    chosen = tuple(seeds) or (_seed(wish),)
    rows: list[dict[str, Any]] = []
    first: dict[int, Answers] = {}
    wishes = [_with(wish, folder, variant, seed, len(chosen) > 1) for variant, seed in product(variants, chosen)]
    if jobs > 1:
        _train_side_by_side(faces, fingerprint, folder, wishes, jobs, listener)
    for number, (one, (variant, seed)) in enumerate(zip(wishes, product(variants, chosen), strict=True), 1):
        name = str(one.name)
        note(listener, f"row {number} of {len(wishes)}: {name}")
        _trained(faces, fingerprint, folder, one, listener)
        measured, answers = _evaluated(folder / name, faces, config, listener)
        first.setdefault(seed, answers)
        rows.append(
            {"name": variant.name, "seed": seed, "settings": {**variant.model, **variant.train}, "paper": variant.paper}
            | {key: measured[key] for key in MEASURED}
            | {"against_first": None if variant is variants[0] else _compared(answers, first[seed], config)}
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


def _seed(wish: Wish) -> int:
    typed = wish.train.get("seed")
    return wish.file.get("train", {}).get("seed", TrainConfig.seed) if typed is None else typed


class Answers(NamedTuple):
    """What a run says about each face: (n,) bool whether it is right, and (n,) str who it is."""

    right: np.ndarray
    identities: np.ndarray


def _compared(answers: Answers, first: Answers, config: EvalConfig) -> dict[str, Any]:
    found = mcnemar(answers.right, first.right, answers.identities, Bootstrap(draws=config.bootstrap, seed=config.seed))
    return asdict(found)


def _with(wish: Wish, folder: Path, variant: Variant, seed: int, several: bool) -> Wish:
    """`wish` for one row; a decoder asked for has no place in the baseline, nor where a row's beta1 needs another."""
    model = {**wish.model, **variant.model}
    decoder = model.get("decoder") or wish.file.get("model", {}).get("decoder")
    if variant.model.get("baseline"):
        model["decoder"] = "none"
    elif variant.train.get("beta1") and "decoder" not in variant.model and decoder in UNHEARD:
        model["decoder"] = "joint"
    training = {**wish.train, "seed": seed, **variant.train}
    name = f"{variant.name}-seed{seed}" if several else variant.name
    return replace(wish, name=name, folder=folder, preset=variant.preset or wish.preset, model=model, train=training)


def _train_side_by_side(
    faces: Path, fingerprint: str, folder: Path, wishes: Sequence[Wish], jobs: int, listener: Listener
) -> None:
    """Train all rows in processes of their own; the loop that measures finds them finished."""
    threads = max(1, (os.cpu_count() or 1) // jobs)
    note(listener, f"training {len(wishes)} rows, {jobs} at a time on {threads} threads each")
    context = multiprocessing.get_context("spawn")  # torch has threads by now
    with ProcessPoolExecutor(jobs, context, _start_worker, (threads,)) as pool:
        waiting = {pool.submit(_trained_apart, faces, fingerprint, folder, wish): wish for wish in wishes}
        try:
            for done in as_completed(waiting):
                done.result()
                note(listener, f"trained {waiting[done].name}")
        except BrokenProcessPool as error:
            raise _ended() from error
        except BaseException as error:
            # Each training saves what it has and ends. A Ctrl-C they have heard themselves, and a second signal kills.
            for worker in multiprocessing.active_children() if not isinstance(error, KeyboardInterrupt) else ():
                worker.terminate()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _ended() -> RunError:
    return RunError("a training was ended from outside", "the same command goes on where it was")


def _start_worker(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def _trained_apart(faces: Path, fingerprint: str, folder: Path, wish: Wish) -> None:
    """`_trained` in a process of a pool, which would hand the next row to one that was stopped."""
    if _STOPPED.is_set():
        return
    try:
        _trained(faces, fingerprint, folder, wish)
    except (KeyboardInterrupt, SystemExit):
        _STOPPED.set()  # and no abrupt end: the pool would end the others while they save
        raise _ended() from None


def _trained(faces: Path, fingerprint: str, folder: Path, wish: Wish, listener: Listener = silent) -> None:
    run = folder / str(wish.name)
    if not run.exists():
        train(faces, wish, listener)
        return
    info = read_info(run)
    with FacesCache.open(faces) as cache:
        preset, _ = choose(wish.preset, cache.info.dataset)
        model, training = settings(preset, wish, cache)
    # Resolved anew, so that a run from before a setting was there has its default.
    same = resolve(ModelConfig, info["model"]) == model and resolve(TrainConfig, info["train"]) == training
    if not same or info["faces"]["fingerprint"] != fingerprint:
        raise OutputError(f"{run} was trained with other settings or faces", "choose another -o, or delete it")
    if (run / MODEL).exists() and not (run / CHECKPOINT).exists() and not lacks_record(run):
        note(listener, f"{run} is trained already")
    else:  # from its last checkpoint, or from the start where there was none yet, or only what comes after training
        resume(run, listener)


def _evaluated(run: Path, faces: Path, config: EvalConfig, listener: Listener) -> tuple[dict[str, Any], Answers]:
    """The record of a run's evaluation and its answers, from its folder where they are there."""
    place = run / f"eval-{config.split}"
    kept = place / "answers.npz"
    if (place / "result.json").exists() and kept.exists():
        found = json.loads((place / "result.json").read_text(encoding="utf-8"))
        if found["settings"] == as_dict(config) and Path(found["faces"]) == faces:
            with np.load(kept) as arrays:
                return found, Answers(arrays["right"], arrays["identities"])
    with FacesCache.open(faces) as cache:
        result, table = measure(load_run(run), cache, config, listener)
    answers = Answers(table.probabilities.argmax(axis=1) == table.labels, table.identities)
    with replacing(kept) as temporary:
        np.savez(temporary, right=answers.right, identities=answers.identities)
    write_result(result, place / "result.json")
    return result, answers
