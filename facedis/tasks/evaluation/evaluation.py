"""A trained run measured: what its codes tell, what they keep, and whether they say anything at all."""

import shlex
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from facedis.config import EvalConfig, as_dict
from facedis.errors import CacheError
from facedis.events import EventHandler, ignore_events, track
from facedis.faces.cache.cache import FacesCache
from facedis.metrics.classification.accuracy import (
    MIN_FACES_PER_PERSON,
    accuracy_by_person,
    confusion_matrix,
    recall_per_class,
    task_metrics,
)
from facedis.metrics.codes import CodeTable
from facedis.metrics.near_duplicates import thumbnails
from facedis.metrics.probe_splits import FaceLabels, ProbeSplit, drop_near_duplicates, split_for_probes
from facedis.metrics.representation.collapse import collapse
from facedis.metrics.representation.leakage import ProbeTables
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.model.storage.checkpoint import Run
from facedis.result import record
from facedis.tasks.encoding.encode import encode, run_labels
from facedis.tasks.evaluation.compared_codes import compared_codes
from facedis.tasks.evaluation.factors import factor_scores
from facedis.tasks.evaluation.leakage_probes import KINDS, NO_REST, expression_leakage, identity_leakage
from facedis.tasks.evaluation.retention_probes import retention

NO_PEOPLE = (
    f"fewer than two people are known with {MIN_FACES_PER_PERSON} faces each, so accuracy by person is not reported"
)


class Evaluation(NamedTuple):
    """A measured run.

    Attributes:
        record: Of kind "evaluation"; keys in docs/results.md.
        table: The codes of all faces that were evaluated.
    """

    record: dict[str, Any]
    table: CodeTable


def evaluate(run: Run, cache: FacesCache, config: EvalConfig, handler: EventHandler = ignore_events) -> dict[str, Any]:
    """The record of `measure`."""
    return measure(run, cache, config, handler).record


def measure(run: Run, cache: FacesCache, config: EvalConfig, handler: EventHandler = ignore_events) -> Evaluation:
    """Measure a run on one split of a faces cache.

    Args:
        run: The trained model.
        cache: Faces with expressions; their names are matched with the model's.
        config: Which split, how many rows for probes, how many resamples.
        handler: Told of the progress.

    Raises:
        CacheError: The cache and the model have no expression in common, or the split no face with one.
    """
    labels = np.where(cache.usable, run_labels(run, cache), -1)
    parts = split_for_probes(
        FaceLabels(labels, cache.identities, cache.splits), config.split, config.probe_max_samples, config.seed
    )
    if len(parts.evaluated) == 0:
        raise CacheError(f"{cache.path} has no usable face with a known expression{_in(config.split)}", _others(cache))
    parts = _apart(parts, cache, config.batch_size)
    table = encode(run, cache, parts.rows, config.batch_size, config.device, handler, config.tta_flip)
    probe, selection, test, whole = (
        table.take(np.searchsorted(parts.rows, rows))
        for rows in (parts.probe_train, parts.probe_val, parts.probe_test, parts.evaluated)
    )
    with track(handler, "measuring"):
        numbers = evaluate_codes(probe, selection, test, config, whole)
    result = record(
        "evaluation",
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        model=run.display_name,
        fingerprint=run.fingerprint,
        faces=str(cache.path),
        faces_fingerprint=cache.info.fingerprint,
        dataset=cache.info.dataset,
        split=config.split,
        n=len(parts.evaluated),
        classes=run.classes,
        seed=config.seed,
        settings=as_dict(config),
        left_out=_left_out(cache, labels, config.split),
        notes=_notes(run, cache, config.split, parts),
        **numbers,
    )
    return Evaluation(result, whole)


def evaluate_codes(
    probe: CodeTable, selection: CodeTable, test: CodeTable, config: EvalConfig, whole: CodeTable | None = None
) -> dict[str, Any]:
    """All numbers of an evaluation, from codes alone.

    Args:
        probe: P, the faces that fresh probes are trained on.
        selection: V, the faces that choose their settings; no person of P.
        test: Q, the faces they are tested on; no person of P or V.
        config: Seed and number of resamples.
        whole: The faces for everything that needs no probe, where Q is only a part of them.

    Returns:
        `task`, `recall`, `confusion`, `leakage`, `retention`, `collapse`, `factors`, `parts` (faces,
        people and faces a class of P, V and Q) and `reasons`: for each number that is None, why.
    """
    # One thread: the numbers do not depend on the machine's cores, and these arrays are so small that
    # threads which wait for each other cost ten times the time where another process wants the cores.
    with threadpool_limits(1):
        return _numbers((probe, selection, test), test if whole is None else whole, config)


def _numbers(parts: ProbeTables, whole: CodeTable, config: EvalConfig) -> dict[str, Any]:
    plan = Bootstrap(n_resamples=config.bootstrap_samples, seed=config.seed)
    reasons: dict[str, str] = {}
    codes = compared_codes(parts, whole, config.seed)
    kinds = KINDS[config.probes]
    predictions = whole.probabilities.argmax(axis=1)
    return {
        "task": task_metrics(whole, plan),
        "recall": recall_per_class(whole, plan),
        "people": _people(whole, reasons),
        "confusion": confusion_matrix(whole.labels, predictions, len(whole.classes)),
        "leakage": expression_leakage(codes, parts, kinds, plan, reasons)
        | identity_leakage(codes, whole, kinds, plan, reasons),
        "retention": retention(codes, parts, whole, plan, reasons),
        "collapse": _collapse(whole, plan, reasons),
        "factors": factor_scores(codes, parts, config.probes, config.seed),
        "parts": {name: _counts(part) for name, part in zip("PVQ", parts, strict=True)},
        "reasons": reasons,
    }


def _apart(parts: ProbeSplit, cache: FacesCache, batch: int) -> ProbeSplit:
    """`parts`, no picture in two of them where nobody says whose it is."""
    if (cache.identities[parts.rows] != "").all():
        return parts
    pictures = [thumbnails(faces) for _, faces in cache.batches(parts.rows, batch)]
    with threadpool_limits(1):
        return drop_near_duplicates(parts, np.concatenate(pictures), cache.identities)


def _people(table: CodeTable, reasons: dict[str, str]) -> dict[str, Any] | None:
    found = accuracy_by_person(table)
    if found is None:
        reasons["people"] = NO_PEOPLE
    return found


def _collapse(table: CodeTable, plan: Bootstrap, reasons: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("rest", "expression"):
        codes = getattr(table, name)
        if codes is None:
            reasons[f"collapse.{name}"] = NO_REST
        found[name] = None if codes is None else collapse(codes, table.identities, plan) | {"size": codes.shape[1]}
    return found


def _counts(table: CodeTable) -> dict[str, Any]:
    per_class = np.bincount(table.labels, minlength=len(table.classes)).tolist()
    return {
        "n": len(table),
        "people": len(np.setdiff1d(table.identities, [""])),
        "per_class": dict(zip(table.classes, per_class, strict=True)),
    }


def _left_out(cache: FacesCache, labels: np.ndarray, split: str) -> dict[str, int]:
    """Faces of the split with an expression that the model does not know, by expression."""
    unknown = cache.rows(split)
    unknown = unknown[labels[unknown] < 0]
    names, counts = np.unique(cache.labels[unknown], return_counts=True)
    return {cache.info.classes[name]: int(count) for name, count in zip(names, counts, strict=True)}


def _notes(run: Run, cache: FacesCache, split: str, parts: ProbeSplit) -> list[str]:
    """What a reader must know to judge the numbers."""
    trained_on, notes = run.info["faces"], []
    same = trained_on["fingerprint"] == cache.info.fingerprint
    if same and split in ("train", "all"):
        some = "some of " if split == "all" else ""
        notes.append(f"the model was trained on {some}these faces: expect less of faces that it has not seen")
    if same and split == "val" and _chosen_on_val(run, cache):
        notes.append("the checkpoint was chosen on this split, so its accuracy here is optimistic: see --split test")
    if not same:
        notes.append("these are not the faces that the model was trained on")
    if trained_on["crop"] != cache.info.crop:
        notes.append(f"the model was trained on crop '{trained_on['crop']}', these faces have '{cache.info.crop}'")
    if parts.within_split:
        notes.append("probes are trained and tested on different people of this one split")
    if parts.shared_identities:
        notes.append(f"{parts.shared_identities:,} faces train no probe: their people are among those tested")
    if parts.near_duplicates:
        notes.append(
            f"{parts.near_duplicates:,} faces train no probe: their pictures are among those tested, so it seems"
        )
    return notes


def _chosen_on_val(run: Run, cache: FacesCache) -> bool:
    select = run.train_config.checkpoint_selection
    return select == "best" or (select == "auto" and len(cache.rows("test")) > 0)


def _in(split: str) -> str:
    return "" if split == "all" else f" in the split '{split}'"


def _others(cache: FacesCache) -> str:
    found = [split for split in ("train", "val", "test") if len(cache.rows(split))]
    return f"choose --split {' or '.join(found)}" if found else "align a dataset with expressions"
