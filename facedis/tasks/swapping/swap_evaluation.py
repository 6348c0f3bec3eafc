"""The swaps of a run judged: by models that had no part in it, and against the truth where it is known."""

import shlex
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from facedis.config import SwapEvalConfig, as_dict
from facedis.errors import CacheError, RunError
from facedis.events import EventHandler, ignore_events
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.scenes import INTENSITY, SAME_CAPTURE_DATASETS
from facedis.model.storage.checkpoint import Run
from facedis.result import record
from facedis.tasks.encoding.encode import run_labels
from facedis.tasks.swapping.evaluators import ExpressionEvaluator, IdentityEvaluator
from facedis.tasks.swapping.generator import SwapGenerator
from facedis.tasks.swapping.swap_metrics import Evaluators, Faces, SwapExample, measure_swaps


class SwapEvaluation(NamedTuple):
    """Swaps judged.

    Attributes:
        record: Of kind "swap_eval"; keys in docs/results.md.
        shown: The first of the swaps, whose order is random.
    """

    record: dict[str, Any]
    shown: list[SwapExample]


def evaluate_swaps(
    run: Run, cache: FacesCache, config: SwapEvalConfig, judges: Evaluators, handler: EventHandler = ignore_events
) -> SwapEvaluation:
    """Judge the swaps of a run on one split of a faces cache.

    Args:
        run: A model with a decoder.
        cache: Faces with expressions.
        config: Which split, how many swaps.
        judges: See `facedis.tasks.swapping.evaluators`, which refuses those that are not independent.
        handler: Told of the progress.

    Raises:
        RunError: The run cannot draw, or a judge does not know its expressions.
        CacheError: The split has no two faces with different expressions.
    """
    generator = SwapGenerator(run, config.device, config.batch_size)
    if judges.expression is not None:
        _refuse_ignorant(judges.expression, run)
    labels = np.where(cache.usable, run_labels(run, cache), -1)
    rows = np.flatnonzero((labels >= 0) & ((cache.splits == config.split) | (config.split == "all")))
    if len(np.unique(labels[rows])) < 2:
        raise CacheError(
            f"{cache.path} has no two expressions to exchange in the split '{config.split}'", _others(cache)
        )
    chosen = np.sort(np.random.default_rng(config.seed).permutation(rows)[: config.max_faces])
    factors = {name: values[chosen] for name, values in cache.factors.items()}
    known = INTENSITY in factors
    faces = Faces(
        cache.faces(chosen),
        labels[chosen],
        cache.identities[chosen],
        run.classes,
        np.stack([values for name, values in factors.items() if name != INTENSITY], axis=1) if known else None,
        factors.get(INTENSITY),
        _one_setting(cache, config),
    )
    numbers, shown = measure_swaps(generator, faces, judges, config, handler)
    result = record(
        "swap_eval",
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        model=run.display_name,
        faces=str(cache.path),
        faces_fingerprint=cache.info.fingerprint,
        dataset=cache.info.dataset,
        split=config.split,
        n=len(chosen),
        classes=run.classes,
        seed=config.seed,
        settings=as_dict(config),
        notes=_notes(run, cache, config, judges, len(rows)),
        **numbers,
    )
    return SwapEvaluation(result, shown)


def _one_setting(cache: FacesCache, config: SwapEvalConfig) -> bool:
    return config.same_capture == "yes" or (
        config.same_capture == "auto" and cache.info.dataset in SAME_CAPTURE_DATASETS
    )


def _refuse_ignorant(judge: ExpressionEvaluator, run: Run) -> None:
    lacking = [name for name in run.classes if name not in judge.classes]
    if lacking:
        raise RunError(
            f"{judge.run.display_name} does not know {', '.join(lacking)}", "train a judge on the same expressions"
        )


def _notes(run: Run, cache: FacesCache, config: SwapEvalConfig, judges: Evaluators, there: int) -> list[str]:
    """What a reader must know to judge the numbers."""
    notes = []
    same = run.info["faces"]["fingerprint"] == cache.info.fingerprint
    if same and config.split in ("train", "all"):
        notes.append("the model was trained on some of these faces: expect less of faces that it has not seen")
    if not same:
        notes.append("these are not the faces that the model was trained on")
    if there > config.max_faces:
        notes.append(f"swaps are made of {config.max_faces:,} random faces out of {there:,}")
    if INTENSITY not in cache.factors and _one_setting(cache, config):
        notes.append("the truth of a swap within a person is taken to be that person's other photograph")
    for judge in (judges.expression, judges.face):
        if isinstance(judge, (ExpressionEvaluator, IdentityEvaluator)):
            notes += _about_judge(judge.run, run, cache, config)
    return notes


def _about_judge(judge: Run, run: Run, cache: FacesCache, config: SwapEvalConfig) -> list[str]:
    pretrained, seeds = (
        (judge.info["pretrained"], run.info["pretrained"]),
        (judge.train_config.seed, run.train_config.seed),
    )
    alike, notes = judge.config.trunk == run.config.trunk, []
    if alike and all(pretrained):
        notes.append(f"the trunks of {judge.display_name} and of the model began with published weights of one network")
    if alike and not any(pretrained) and seeds[0] == seeds[1]:
        notes.append(
            f"{judge.display_name} and the model began with the same random trunk: train it with another --seed"
        )
    if judge.info["faces"]["fingerprint"] == cache.info.fingerprint and config.split in ("train", "all"):
        notes.append(f"{judge.display_name} was trained on some of these faces")
    return notes


def _others(cache: FacesCache) -> str:
    found = [split for split in ("train", "val", "test") if len(cache.rows(split))]
    return f"choose --split {' or '.join([*found, 'all'])}"
