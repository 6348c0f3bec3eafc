"""Evaluation of a run's swaps on a faces cache with independent models and, where known, the ground truth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from facedis.config import SwapEvalConfig, as_dict
from facedis.errors import CacheError, RunError
from facedis.events import EventHandler, ignore_events
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.scenes import INTENSITY, SAME_CAPTURE_DATASETS
from facedis.model.storage.checkpoint import Run
from facedis.result import NOT_RECORDED, Result
from facedis.tasks.encoding.encode import run_labels
from facedis.tasks.swapping.evaluators import ExpressionEvaluator, IdentityEvaluator
from facedis.tasks.swapping.generator import SwapGenerator
from facedis.tasks.swapping.swap_estimates import Estimates
from facedis.tasks.swapping.swap_metrics import Evaluators, SwapExample, SwapFaces, measure_swaps

#: Estimates by kind of swap, "across" people and "within" one person; None where the metric does not apply.
ByKind = Mapping[str, Estimates | None]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class SwapEvalResult(Result):
    """Metrics of a model's swaps; each estimate stands beside its references. Keys in docs/results.md.

    Attributes:
        model: Display name of the model.
        faces: The faces cache.
        faces_fingerprint: Its fingerprint.
        dataset: Reader of the dataset.
        split: Split of the faces.
        n: Number of faces.
        classes: Expressions of the model.
        seed: Seed of the choice of faces and swaps.
        settings: All settings.
        notes: Caveats, one sentence each.
        reasons: Why metrics are null.
        pairs: Number of swaps by kind.
        judges: The evaluators.
        transfer: Accuracy of the expression model for the expression donor's label.
        copy_rate: Share of swaps predicted as the rest donor's expression.
        identity_to_rest_donor: Mean cosine of face embeddings.
        identity_to_expression_donor: Mean cosine of face embeddings.
        closer_to_rest_donor: Share of swaps closer to the rest donor than to the expression donor.
        verified_as_rest_donor: Share of swaps accepted as the rest donor at a false accept rate of 1 %.
        verified_as_expression_donor: Share of swaps accepted as the expression donor.
        psnr: Peak signal-to-noise ratio to the ground truth in decibels.
        ssim: Structural similarity to the ground truth.
        kid: Kernel inception distance to the real faces.
        round_trip: PSNR and SSIM of the rest donor after swapping back.
        code_cycle: Cosine of the codes of the swapped images with the codes they were decoded from.
        examples: The first swaps, which are in random order.
    """

    kind: ClassVar[str] = "swap_eval"

    model: str
    faces: str
    faces_fingerprint: str
    dataset: str
    split: str
    n: int
    classes: tuple[str, ...]
    seed: int
    settings: dict[str, Any]
    notes: list[str]
    reasons: dict[str, str]
    pairs: dict[str, int]
    judges: dict[str, dict[str, Any] | None]
    transfer: ByKind
    copy_rate: ByKind
    identity_to_rest_donor: ByKind
    identity_to_expression_donor: ByKind
    closer_to_rest_donor: ByKind
    verified_as_rest_donor: ByKind
    verified_as_expression_donor: ByKind
    psnr: ByKind
    ssim: ByKind
    kid: ByKind
    round_trip: Mapping[str, Mapping[str, Estimates] | None]
    code_cycle: Mapping[str, Mapping[str, Estimates] | None]
    examples: list[SwapExample] = field(metadata=NOT_RECORDED)

    def summary(self) -> Mapping[str, object]:
        """Transfer, copy rate and SSIM of the swaps across people."""
        metrics = {"transfer": self.transfer, "copy_rate": self.copy_rate, "ssim": self.ssim}
        estimates = {name: metric["across"] for name, metric in metrics.items()}
        return {name: each["swap"] for name, each in estimates.items() if each is not None}


def evaluate_swaps(
    run: Run,
    cache: FacesCache,
    config: SwapEvalConfig,
    evaluators: Evaluators,
    handler: EventHandler = ignore_events,
) -> SwapEvalResult:
    """Evaluate the swaps of a run on one split of a faces cache.

    Args:
        run: A model with a decoder.
        cache: Faces with expressions.
        config: Settings.
        evaluators: Evaluation models; `facedis.tasks.swapping.evaluators` loads those that are independent of `run`.
        handler: Receives progress and warnings.

    Raises:
        RunError: The model has no decoder, or the expression model lacks one of its classes.
        CacheError: The split has fewer than two expressions.
    """
    generator = SwapGenerator(run, config.device, config.batch_size)
    if evaluators.expression is not None:
        _check_classes(evaluators.expression, run)
    labels = np.where(cache.usable, run_labels(run, cache), -1)
    rows = np.flatnonzero((labels >= 0) & ((cache.splits == config.split) | (config.split == "all")))
    if len(np.unique(labels[rows])) < 2:
        raise CacheError(
            f"{cache.path} has fewer than two expressions in the split '{config.split}'", _split_hint(cache)
        )
    chosen = np.sort(np.random.default_rng(config.seed).permutation(rows)[: config.max_faces])
    metrics = measure_swaps(generator, _swap_faces(run, cache, chosen, config), evaluators, config, handler)
    return SwapEvalResult(
        model=run.display_name,
        faces=str(cache.path),
        faces_fingerprint=cache.info.fingerprint,
        dataset=cache.info.dataset,
        split=config.split,
        n=len(chosen),
        classes=run.classes,
        seed=config.seed,
        settings=as_dict(config),
        notes=_notes(run, cache, config, evaluators, len(rows)),
        reasons=metrics.reasons,
        pairs=metrics.pairs,
        judges=metrics.judges,
        examples=metrics.examples,
        **metrics.estimates,
    )


def _swap_faces(run: Run, cache: FacesCache, rows: np.ndarray, config: SwapEvalConfig) -> SwapFaces:
    factors = {name: values[rows] for name, values in cache.factors.items()}
    capture = [values for name, values in factors.items() if name != INTENSITY]
    return SwapFaces(
        cache.faces(rows),
        run_labels(run, cache)[rows],
        cache.identities[rows],
        run.classes,
        np.stack(capture, axis=1) if INTENSITY in factors else None,
        factors.get(INTENSITY),
        _same_capture(cache, config),
    )


def _same_capture(cache: FacesCache, config: SwapEvalConfig) -> bool:
    return config.same_capture == "yes" or (
        config.same_capture == "auto" and cache.info.dataset in SAME_CAPTURE_DATASETS
    )


def _check_classes(evaluator: ExpressionEvaluator, run: Run) -> None:
    missing = [name for name in run.classes if name not in evaluator.classes]
    if missing:
        raise RunError(
            f"{evaluator.run.display_name} does not predict {', '.join(missing)}",
            "train an expression model on the same expressions",
        )


def _notes(run: Run, cache: FacesCache, config: SwapEvalConfig, evaluators: Evaluators, available: int) -> list[str]:
    notes = []
    same = run.info["faces"]["fingerprint"] == cache.info.fingerprint
    if same and config.split in ("train", "all"):
        notes.append("the model was trained on some of these faces: expect lower scores on unseen faces")
    if not same:
        notes.append("these are not the faces that the model was trained on")
    if available > config.max_faces:
        notes.append(f"swaps are made of {config.max_faces:,} random faces out of {available:,}")
    if INTENSITY not in cache.factors and _same_capture(cache, config):
        notes.append("the ground truth of a swap within a person is assumed to be the expression donor's photo")
    for evaluator in (evaluators.expression, evaluators.identity):
        if isinstance(evaluator, (ExpressionEvaluator, IdentityEvaluator)):
            notes += _evaluator_notes(evaluator.run, run, cache, config)
    return notes


def _evaluator_notes(evaluator: Run, run: Run, cache: FacesCache, config: SwapEvalConfig) -> list[str]:
    notes, name = [], evaluator.display_name
    pretrained = [each.info["pretrained"] for each in (evaluator, run)]
    if evaluator.config.trunk == run.config.trunk:
        if all(pretrained):
            notes.append(f"the trunks of {name} and of the model have the same published initial weights")
        if not any(pretrained) and evaluator.train_config.seed == run.train_config.seed:
            notes.append(f"{name} and the model have the same random initial trunk: train it with another --seed")
    if evaluator.info["faces"]["fingerprint"] == cache.info.fingerprint and config.split in ("train", "all"):
        notes.append(f"{name} was trained on some of these faces")
    return notes


def _split_hint(cache: FacesCache) -> str:
    splits = [split for split in ("train", "val", "test") if len(cache.rows(split))]
    return f"choose --split {' or '.join([*splits, 'all'])}"
