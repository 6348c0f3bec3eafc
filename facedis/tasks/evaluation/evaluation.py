"""Evaluate a model on a split: accuracy, leakage, retention and collapse of its codes."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

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
from facedis.result import NOT_RECORDED, Estimate, Result
from facedis.tasks.encoding.encode import encode, run_labels
from facedis.tasks.evaluation.compared_codes import compared_codes
from facedis.tasks.evaluation.factors import factor_scores
from facedis.tasks.evaluation.leakage_probes import KINDS, NO_REST, expression_leakage, identity_leakage
from facedis.tasks.evaluation.retention_probes import retention

NO_PEOPLE = f"fewer than two people have {MIN_FACES_PER_PERSON} faces each, so accuracy by person is not reported"


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class EvaluationResult(Result):
    """The evaluation of a model on a split of a faces cache; docs/results.md explains the nested keys.

    Attributes:
        model: Name of the model.
        fingerprint: Fingerprint of its tensors.
        faces: Path of the faces cache.
        faces_fingerprint: Fingerprint of the faces.
        dataset: Name of the reader.
        split: The evaluated split, or "all".
        n: Evaluated faces.
        classes: K expressions of the model.
        seed: Seed of probes and bootstrap.
        settings: The evaluation settings.
        left_out: Faces by expression that is not among the classes.
        notes: Caveats, one sentence each.
        task: Accuracy and other metrics of the expression head.
        recall: Recall by class.
        people: Spread of the accuracy over people; None if unknown.
        confusion: (K, K) int, rows are true classes.
        leakage: Probe results by code.
        retention: Identity and embedding retention by code.
        collapse: Collapse diagnostics by code.
        factors: Disentanglement scores by factor.
        parts: Counts of the probe splits.
        reasons: For each value that is None, why.
        codes: Codes of the evaluated faces; not part of the record.
    """

    kind: ClassVar[str] = "evaluation"

    model: str
    fingerprint: str
    faces: str
    faces_fingerprint: str
    dataset: str
    split: str
    n: int
    classes: tuple[str, ...]
    seed: int
    settings: Mapping[str, Any]
    left_out: Mapping[str, int]
    notes: Sequence[str]
    task: Mapping[str, Estimate]
    recall: Mapping[str, Estimate | None]
    people: Mapping[str, Any] | None
    confusion: np.ndarray
    leakage: Mapping[str, Any]
    retention: Mapping[str, Estimate | None]
    collapse: Mapping[str, Any]
    factors: Mapping[str, Any]
    parts: Mapping[str, Any]
    reasons: Mapping[str, str]
    codes: CodeTable = field(metadata=NOT_RECORDED)

    def summary(self) -> Mapping[str, object]:
        """Accuracy, and the balanced accuracy of the strongest probe on the rest code."""
        rest = self.leakage["expression_in_rest"]
        return {"accuracy": self.task["accuracy"]} | ({} if rest is None else {"leakage": rest["strongest"]})


def evaluate(
    run: Run,
    faces: FacesCache | Path | str,
    config: EvalConfig | None = None,
    handler: EventHandler = ignore_events,
) -> EvaluationResult:
    """Evaluate a model on one split of a faces cache.

    Args:
        run: The model.
        faces: A faces cache with expressions, opened or as a path; its classes are matched with the model's by name.
        config: Split, probes, bootstrap and seed.
        handler: Receives progress.

    Raises:
        CacheError: The cache and the model have no expression in common, or the split has no such face.
    """
    config = config or EvalConfig()
    with ExitStack() as stack:
        cache = faces if isinstance(faces, FacesCache) else stack.enter_context(FacesCache.open(Path(faces)))
        return _evaluate(run, cache, config, handler)


def _evaluate(run: Run, cache: FacesCache, config: EvalConfig, handler: EventHandler) -> EvaluationResult:
    labels = np.where(cache.usable, run_labels(run, cache), -1)
    parts = split_for_probes(
        FaceLabels(labels, cache.identities, cache.splits), config.split, config.probe_max_samples, config.seed
    )
    if len(parts.evaluated) == 0:
        where = "" if config.split == "all" else f" in the split '{config.split}'"
        raise CacheError(f"{cache.path} has no usable face with a known expression{where}", _other_splits(cache))
    parts = _without_near_duplicates(parts, cache, config.batch_size)
    table = encode(run, cache, parts.rows, config.batch_size, config.device, handler, config.tta_flip)
    train, val, test, evaluated = (
        table.take(np.searchsorted(parts.rows, rows))
        for rows in (parts.probe_train, parts.probe_val, parts.probe_test, parts.evaluated)
    )
    with track(handler, "measuring"):
        values = evaluate_codes(train, val, test, config, evaluated)
    return EvaluationResult(
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
        codes=evaluated,
        **values,
    )


def evaluate_codes(
    probe_train: CodeTable,
    probe_val: CodeTable,
    probe_test: CodeTable,
    config: EvalConfig,
    evaluated: CodeTable | None = None,
) -> dict[str, Any]:
    """All metrics of an evaluation, from codes alone.

    Args:
        probe_train: Faces that probes are trained on (P in the record).
        probe_val: Faces for choosing probe settings (V); no person of `probe_train`.
        probe_test: Faces that probes are tested on (Q); no person of the other two.
        config: Seed, probes and number of resamples.
        evaluated: Faces for all other metrics, if they are more than `probe_test`.

    Returns:
        `task`, `recall`, `people`, `confusion`, `leakage`, `retention`, `collapse`, `factors`, `parts` (counts of
        faces and people) and `reasons` (for each value that is None, why).
    """
    # One thread: the results do not depend on the number of cores, and for arrays this small several threads are
    # ten times slower on a busy machine.
    with threadpool_limits(1):
        parts = (probe_train, probe_val, probe_test)
        return _metrics(parts, probe_test if evaluated is None else evaluated, config)


def _metrics(parts: ProbeTables, whole: CodeTable, config: EvalConfig) -> dict[str, Any]:
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


def _without_near_duplicates(parts: ProbeSplit, cache: FacesCache, batch: int) -> ProbeSplit:
    """`parts` without near-duplicate images across parts, where identities are unknown."""
    if (cache.identities[parts.rows] != "").all():
        return parts
    images = [thumbnails(faces) for _, faces in cache.batches(parts.rows, batch)]
    with threadpool_limits(1):
        return drop_near_duplicates(parts, np.concatenate(images), cache.identities)


def _people(table: CodeTable, reasons: dict[str, str]) -> dict[str, Any] | None:
    spread = accuracy_by_person(table)
    if spread is None:
        reasons["people"] = NO_PEOPLE
    return spread


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
    """Faces of the split with an expression that is not among the model's classes, by expression."""
    unknown = cache.rows(split)
    unknown = unknown[labels[unknown] < 0]
    names, counts = np.unique(cache.labels[unknown], return_counts=True)
    return {cache.info.classes[name]: int(count) for name, count in zip(names, counts, strict=True)}


def _notes(run: Run, cache: FacesCache, split: str, parts: ProbeSplit) -> list[str]:
    """Caveats of the results."""
    trained_on, notes = run.info["faces"], []
    same = trained_on["fingerprint"] == cache.info.fingerprint
    if same and split in ("train", "all"):
        some = "some of " if split == "all" else ""
        notes.append(f"the model was trained on {some}these faces, so the results are optimistic")
    if same and split == "val" and _selected_on_val(run, cache):
        notes.append("the checkpoint was selected on this split, so its accuracy is optimistic; use --split test")
    if not same:
        notes.append("the model was trained on other faces")
    if trained_on["crop"] != cache.info.crop:
        notes.append(f"the model was trained on crop '{trained_on['crop']}', these faces have crop '{cache.info.crop}'")
    if parts.within_split:
        notes.append("probes are trained and tested on different people of the same split")
    if parts.shared_identities:
        notes.append(f"{parts.shared_identities:,} faces train no probe because their people are in the test part")
    if parts.near_duplicates:
        notes.append(
            f"{parts.near_duplicates:,} faces train no probe because they are near-duplicates of faces in the test part"
        )
    return notes


def _selected_on_val(run: Run, cache: FacesCache) -> bool:
    select = run.train_config.checkpoint_selection
    return select == "best" or (select == "auto" and len(cache.rows("test")) > 0)


def _other_splits(cache: FacesCache) -> str:
    splits = [split for split in ("train", "val", "test") if len(cache.rows(split))]
    return f"choose --split {' or '.join(splits)}" if splits else "align a dataset with expressions"
