"""Metrics of swaps: generates swaps of faces, runs the evaluators on them and estimates every metric."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from facedis.config import SwapEvalConfig
from facedis.events import EventHandler, ignore_events, track
from facedis.metrics.generation.swaps import Donors, RealPairScores, ground_truth_faces, sample_donors
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.metrics.statistics.pair_groups import PairGroups
from facedis.metrics.verification.pairs import identity_pairs
from facedis.tasks.swapping.evaluators import ExpressionEvaluator, FaceNetEvaluator, IdentityEvaluator
from facedis.tasks.swapping.generator import EncodedFaces
from facedis.tasks.swapping.swap_estimates import (
    Outputs,
    RealFaces,
    Swaps,
    estimate_code_cycle,
    estimate_identity,
    estimate_image_quality,
    estimate_kid,
    estimate_round_trip,
    estimate_transfer,
)

#: Kinds of swaps: rest and expression donor are two people, or one person.
SWAP_KINDS = ("across", "within")
#: Swaps generated at once.
_BATCH_SIZE = 256
_METRICS = (
    "transfer",
    "copy_rate",
    "identity_to_rest_donor",
    "identity_to_expression_donor",
    "closer_to_rest_donor",
    "verified_as_rest_donor",
    "verified_as_expression_donor",
    "psnr",
    "ssim",
    "kid",
    "round_trip",
    "code_cycle",
)
_NO_EXPRESSION_MODEL = "no expression model was given (--expression-model)"
_NO_IDENTITY_MODEL = "no identity model was given (--identity-model)"
_NO_SWAP = {
    "across": "there are no two faces of different people with different expressions",
    "within": "there are no two faces of one person with different expressions",
}
_NO_TRUTH = {
    "across": "no face shows the ground truth of a swap across people",
    "within": "no face shows the ground truth of a swap within a person: pose and light may differ",
}


class ImageGenerator(Protocol):
    """Interface of `SwapGenerator`; any other model with these methods can be evaluated."""

    def encode(self, faces: np.ndarray) -> EncodedFaces:
        """Codes and reconstructions of (n, S, S, 3) uint8 faces."""

    def decode(self, expression: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """(n, S, S, 3) uint8 images of (n, E) expression codes and (n, R) rest codes."""


@dataclass(frozen=True)
class Evaluators:
    """The evaluation models; metrics without their model are null in the record."""

    expression: ExpressionEvaluator | None = None
    identity: IdentityEvaluator | FaceNetEvaluator | None = None

    def outputs(self, images: np.ndarray, classes: tuple[str, ...]) -> Outputs:
        """Outputs for (n, S, S, 3) uint8 images; predictions are indices into `classes`."""
        predictions = features = embeddings = None
        if self.expression is not None:
            probabilities, features = self.expression.predict(images)
            columns = [self.expression.classes.index(name) for name in classes]
            predictions = probabilities[:, columns].argmax(axis=1)
        if self.identity is not None:
            embeddings = self.identity.embed(images)
        return Outputs(predictions, features, embeddings)


@dataclass(frozen=True)
class SwapFaces:
    """The real faces that swaps are made from.

    Attributes:
        images: (n, S, S, 3) uint8.
        labels: (n,) int index into `classes`.
        identities: (n,) str, "" where unknown.
        classes: Expressions.
        capture: (n, f) pose, light and camera; None where unknown.
        intensity: (n,) intensity of the expression; None where unknown.
        same_capture: Whether all photos of a person have the same pose and light, if `capture` is unknown.
    """

    images: np.ndarray
    labels: np.ndarray
    identities: np.ndarray
    classes: tuple[str, ...]
    capture: np.ndarray | None = None
    intensity: np.ndarray | None = None
    same_capture: bool = False


class SwapExample(NamedTuple):
    """One swap for the contact sheet: (S, S, 3) uint8 images; `truth` is None where it is unknown."""

    rest_donor: np.ndarray
    expression_donor: np.ndarray
    swap: np.ndarray
    truth: np.ndarray | None
    rest_expression: str
    expression: str


@dataclass(frozen=True)
class SwapMetrics:
    """Metrics of swaps.

    Attributes:
        pairs: Number of swaps by kind.
        judges: Description of the evaluators by "expression" and "face".
        estimates: Estimates by metric and kind; None where a metric does not apply.
        reasons: Why metrics are missing, one sentence by metric or kind.
        examples: The first swaps, which are in random order.
    """

    pairs: dict[str, int]
    judges: dict[str, dict[str, Any] | None]
    estimates: dict[str, Any]
    reasons: dict[str, str] = field(default_factory=dict)
    examples: list[SwapExample] = field(default_factory=list)


def measure_swaps(
    generator: ImageGenerator,
    faces: SwapFaces,
    evaluators: Evaluators,
    config: SwapEvalConfig,
    handler: EventHandler = ignore_events,
) -> SwapMetrics:
    """Generate swaps across people and within one person, and estimate all metrics of both kinds."""
    donors = {
        kind: sample_donors(faces.labels, faces.identities, kind == "across", config.pairs, config.seed)
        for kind in SWAP_KINDS
    }
    with track(handler, "swapping", sum(map(len, donors.values()))) as progress:
        encoded = generator.encode(faces.images)
        real = RealFaces(
            faces.labels,
            faces.identities,
            faces.classes,
            encoded,
            evaluators.outputs(encoded.images, faces.classes),
            evaluators.outputs(encoded.reconstructions, faces.classes),
        )
        swaps: dict[str, Swaps] = {}
        for kind, all_donors in donors.items():
            batches = []
            for batch in _split(all_donors):
                batches.append(_generate(generator, real, batch, evaluators))
                progress.advance(len(batch))
            if batches:
                swaps[kind] = _concatenate(faces, all_donors, batches)
    with track(handler, "measuring swaps"), threadpool_limits(1):  # the result must not depend on the number of cores
        metrics = _estimate(real, swaps, evaluators, config)
    metrics.examples.extend(_examples(real, next(iter(swaps.values())), config.num_examples) if swaps else [])
    return metrics


class _Batch(NamedTuple):
    """Some of the swaps; fields as in `Swaps`."""

    images: np.ndarray
    expression: np.ndarray
    rest: np.ndarray
    round_trip: np.ndarray
    outputs: Outputs


def _split(donors: Donors) -> Iterator[Donors]:
    for start in range(0, len(donors), _BATCH_SIZE):
        batch = slice(start, start + _BATCH_SIZE)
        yield Donors(donors.rest[batch], donors.expression[batch])


def _generate(generator: ImageGenerator, faces: RealFaces, donors: Donors, evaluators: Evaluators) -> _Batch:
    own = faces.encoded
    images = generator.decode(own.expression[donors.expression], own.rest[donors.rest])
    encoded = generator.encode(images)
    counterparts = generator.encode(generator.decode(own.expression[donors.rest], own.rest[donors.expression]))
    round_trip = generator.decode(counterparts.expression, encoded.rest)
    outputs = evaluators.outputs(images, faces.classes)
    return _Batch(images, encoded.expression, encoded.rest_code, round_trip, outputs)


def _concatenate(faces: SwapFaces, donors: Donors, batches: Sequence[_Batch]) -> Swaps:
    images, expression, rest, round_trip = (np.concatenate([batch[k] for batch in batches]) for k in range(4))
    outputs = [batch.outputs for batch in batches]
    truths = ground_truth_faces(
        donors, faces.labels, faces.identities, faces.capture, faces.intensity, faces.same_capture
    )
    return Swaps(
        donors,
        PairGroups.from_indices(donors.rest, donors.expression, faces.identities),
        truths,
        images,
        expression,
        rest,
        round_trip,
        Outputs(
            _joined([each.predictions for each in outputs]),
            _joined([each.features for each in outputs]),
            _joined([each.embeddings for each in outputs]),
        ),
    )


def _joined(arrays: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [array for array in arrays if array is not None]
    return np.concatenate(known) if known else None


def _estimate(faces: RealFaces, swaps: dict[str, Swaps], evaluators: Evaluators, config: SwapEvalConfig) -> SwapMetrics:
    plan = Bootstrap(n_resamples=config.bootstrap_samples, seed=config.seed)
    pairs = _real_pairs(faces, config.seed, plan)
    judges = {
        "expression": None if evaluators.expression is None else evaluators.expression.metadata,
        "face": None if evaluators.identity is None else evaluators.identity.metadata,
    }
    if judges["face"] is not None and pairs is not None:
        judges["face"] = judges["face"] | {"auc": pairs.auc, "threshold": pairs.threshold}
    estimates = {kind: _estimate_kind(faces, each, pairs, plan, config.seed) for kind, each in swaps.items()}
    return SwapMetrics(
        {kind: len(swaps[kind].donors) if kind in swaps else 0 for kind in SWAP_KINDS},
        judges,
        {name: {kind: estimates.get(kind, {}).get(name) for kind in SWAP_KINDS} for name in _METRICS},
        _reasons(estimates, evaluators, pairs),
    )


def _real_pairs(faces: RealFaces, seed: int, plan: Bootstrap) -> RealPairScores | None:
    """Scores of real genuine and impostor pairs; None without an identity model or without known identities."""
    if faces.real.embeddings is None:
        return None
    pairs = identity_pairs(faces.labels, faces.identities, seed)
    return RealPairScores.from_embeddings(faces.real.embeddings, pairs, faces.identities, plan)


def _estimate_kind(
    faces: RealFaces, swaps: Swaps, pairs: RealPairScores | None, plan: Bootstrap, seed: int
) -> dict[str, Any]:
    return {
        **estimate_image_quality(faces, swaps, plan),
        **estimate_round_trip(faces, swaps, plan),
        **estimate_code_cycle(faces, swaps, plan),
        **estimate_transfer(faces, swaps, plan),
        **estimate_kid(faces, swaps, plan, seed),
        **estimate_identity(faces, swaps, pairs, plan, seed),
    }


def _reasons(
    estimates: dict[str, dict[str, Any]], evaluators: Evaluators, pairs: RealPairScores | None
) -> dict[str, str]:
    """Why metrics are missing, by metric or kind."""
    reasons = {kind: _NO_SWAP[kind] for kind in SWAP_KINDS if kind not in estimates}
    if evaluators.identity is None:
        reasons["identity"] = _NO_IDENTITY_MODEL
    elif pairs is None:
        reasons["identity"] = "no person has faces with two expressions"
    if evaluators.expression is None:
        reasons |= dict.fromkeys(("transfer", "copy_rate", "kid"), _NO_EXPRESSION_MODEL)
    for kind, found in estimates.items():
        if "ssim" not in found:
            reasons |= {f"psnr.{kind}": _NO_TRUTH[kind], f"ssim.{kind}": _NO_TRUTH[kind]}
    return reasons


def _examples(faces: RealFaces, swaps: Swaps, n: int) -> list[SwapExample]:
    images = faces.encoded.images
    return [
        SwapExample(
            images[rest],
            images[expression],
            swap,
            None if truth < 0 else images[truth],
            faces.classes[faces.labels[rest]],
            faces.classes[faces.labels[expression]],
        )
        for rest, expression, swap, truth in zip(
            swaps.donors.rest[:n], swaps.donors.expression[:n], swaps.images[:n], swaps.truths[:n], strict=True
        )
    ]
