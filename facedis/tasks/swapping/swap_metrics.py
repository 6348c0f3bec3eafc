"""Swaps drawn, judged and measured: arrays and judges in, the numbers of a record out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    KINDS,
    Known,
    Swapped,
    code_cycle,
    identity,
    kid_estimates,
    likeness,
    round_trip,
    transfer,
)

#: Swaps that are worked on together.
_PIECE = 256
_NO_JUDGE = "no judge of expressions was named (--expression-model)"
_NO_FACE_JUDGE = "no judge of people was named (--identity-model)"
_NO_TRUTH = {
    "across": "no face shows what a swap across people should look like",
    "within": "no face shows what a swap within a person should look like: pose and light differ, or may",
}


class Draws(Protocol):
    """What draws swaps: a run's `SwapGenerator`, or anything else that shall be judged as one."""

    def encode(self, faces: np.ndarray) -> EncodedFaces:
        """Codes and reconstructions of (n, S, S, 3) uint8 faces."""

    def draw(self, expression: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """(n, S, S, 3) uint8 pictures of n expression codes with n rest codes."""


@dataclass(frozen=True)
class Evaluators:
    """Who judges; what nobody judges is left out of the record."""

    expression: ExpressionEvaluator | None = None
    face: IdentityEvaluator | FaceNetEvaluator | None = None


@dataclass(frozen=True)
class Faces:
    """The real faces that swaps are made of.

    Attributes:
        pictures: (n, S, S, 3) uint8.
        labels: (n,) int index into `classes`.
        identities: (n,) str, "" where unknown.
        classes: Expressions.
        settings: (n, f) pose, light, camera; None where unknown.
        strength: (n,) intensity of the expression; None likewise.
        one_setting: Of photographs, whether pose and light of a person's are the same.
    """

    pictures: np.ndarray
    labels: np.ndarray
    identities: np.ndarray
    classes: tuple[str, ...]
    settings: np.ndarray | None = None
    strength: np.ndarray | None = None
    one_setting: bool = False


class SwapExample(NamedTuple):
    """One swap for the contact sheet: pictures (S, S, 3) uint8, the truth None where it is unknown."""

    rest_donor: np.ndarray
    expression_donor: np.ndarray
    swap: np.ndarray
    truth: np.ndarray | None
    rest_expression: str
    expression: str


def measure_swaps(
    draws: Draws, faces: Faces, judges: Evaluators, config: SwapEvalConfig, handler: EventHandler = ignore_events
) -> tuple[dict[str, Any], list[SwapExample]]:
    """All numbers of a record of kind "swap_eval", and the swaps to show."""
    reasons: dict[str, str] = {}
    kinds = {
        kind: sample_donors(faces.labels, faces.identities, kind == "across", config.pairs, config.seed)
        for kind in KINDS
    }
    with track(handler, "swapping", sum(map(len, kinds.values()))) as progress:
        known = _known(draws, faces, judges)
        swapped: dict[str, Swapped | None] = {}
        for kind, donors in kinds.items():
            pieces = []
            for piece in _pieces(donors):
                pieces.append(_drawn(draws, known, piece, judges))
                progress.advance(len(piece))
            swapped[kind] = _swapped(faces, donors, pieces) if pieces else None
            if not pieces:
                reasons[kind] = (
                    f"there are no two faces for a swap {kind}{' people' if kind == 'across' else ' a person'}"
                )
    with track(handler, "judging swaps"), threadpool_limits(1):  # the numbers do not depend on the machine's cores
        numbers = _numbers(known, swapped, judges, config, reasons)
    kind = next((kind for kind in KINDS if swapped[kind] is not None), None)
    return numbers | {"reasons": reasons}, [] if kind is None else _shown(known, swapped[kind], config.num_examples)


def _known(draws: Draws, faces: Faces, judges: Evaluators) -> Known:
    encoded = draws.encode(faces.pictures)
    answers, features, drawn_answers, drawn_features = None, None, None, None
    if judges.expression is not None:
        answers, features = _judged(judges.expression, encoded.pictures, faces.classes)
        drawn_answers, drawn_features = _judged(judges.expression, encoded.reconstructions, faces.classes)
    embeddings, drawn_embeddings = None, None
    if judges.face is not None:
        embeddings = judges.face.embeddings(encoded.pictures)
        drawn_embeddings = judges.face.embeddings(encoded.reconstructions)
    return Known(
        faces.labels,
        faces.identities,
        faces.classes,
        encoded,
        answers,
        features,
        drawn_answers,
        drawn_features,
        embeddings,
        drawn_embeddings,
    )


class _Drawn(NamedTuple):
    """What is kept of some swaps; see `Swapped`."""

    pictures: np.ndarray
    expression: np.ndarray
    rest: np.ndarray
    back: np.ndarray
    answers: np.ndarray | None
    features: np.ndarray | None
    embeddings: np.ndarray | None


def _pieces(donors: Donors) -> Iterator[Donors]:
    for start in range(0, len(donors), _PIECE):
        piece = slice(start, start + _PIECE)
        yield Donors(donors.rest[piece], donors.expression[piece])


def _drawn(draws: Draws, known: Known, donors: Donors, judges: Evaluators) -> _Drawn:
    own = known.encoded
    pictures = draws.draw(own.expression[donors.expression], own.rest[donors.rest])
    again = draws.encode(pictures)
    other = draws.encode(draws.draw(own.expression[donors.rest], own.rest[donors.expression]))
    answers, features = None, None
    if judges.expression is not None:
        answers, features = _judged(judges.expression, pictures, known.classes)
    embeddings = None if judges.face is None else judges.face.embeddings(pictures)
    back = draws.draw(other.expression, again.rest)
    return _Drawn(pictures, again.expression, again.rest_code, back, answers, features, embeddings)


def _swapped(faces: Faces, donors: Donors, pieces: Sequence[_Drawn]) -> Swapped:
    columns = [None if column[0] is None else np.concatenate(column) for column in zip(*pieces, strict=True)]
    known = faces.labels, faces.identities, faces.settings, faces.strength, faces.one_setting
    return Swapped(
        donors,
        PairGroups.from_indices(donors.rest, donors.expression, faces.identities),
        ground_truth_faces(donors, *known),
        *columns,
    )


def _judged(
    judge: ExpressionEvaluator, pictures: np.ndarray, classes: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) The judge's answer among `classes`, and its features."""
    probabilities, features = judge.judge(pictures)
    return probabilities[:, [judge.classes.index(name) for name in classes]].argmax(axis=1), features


def _numbers(
    known: Known,
    swapped: dict[str, Swapped | None],
    judges: Evaluators,
    config: SwapEvalConfig,
    reasons: dict[str, str],
) -> dict[str, Any]:
    plan = Bootstrap(n_resamples=config.bootstrap_samples, seed=config.seed)
    real = _real_pairs(known, judges, config, plan, reasons)
    about = {name: None if judge is None else judge.about for name, judge in vars(judges).items()}
    if real is not None:
        about["face"] = about["face"] | {"auc": real.auc, "threshold": real.threshold}
    if judges.expression is None:
        reasons["transfer"] = reasons["copy_rate"] = reasons["kid"] = _NO_JUDGE
    numbers: dict[str, Any] = {
        "pairs": {kind: 0 if each is None else len(each.donors) for kind, each in swapped.items()},
        "judges": about,
        **{name: {} for name in _MEASURES},
    }
    for kind, each in swapped.items():
        found = {} if each is None else _of_kind(known, each, kind, real, plan, config.seed)
        if each is not None and "ssim" not in found:
            reasons[f"psnr.{kind}"] = reasons[f"ssim.{kind}"] = _NO_TRUTH[kind]
        for name in _MEASURES:
            numbers[name][kind] = found.get(name)
    return numbers


def _real_pairs(
    known: Known, judges: Evaluators, config: SwapEvalConfig, plan: Bootstrap, reasons: dict[str, str]
) -> RealPairScores | None:
    """What the judge of people makes of real faces; None without a judge or without people."""
    if judges.face is None:
        reasons["identity"] = _NO_FACE_JUDGE
        return None
    pairs = identity_pairs(known.labels, known.identities, config.seed)
    real = RealPairScores.from_embeddings(known.embeddings, pairs, known.identities, plan)
    if real is None:
        reasons["identity"] = "nobody among these faces is known with two expressions"
    return real


_MEASURES = (
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


def _of_kind(
    known: Known, swapped: Swapped, kind: str, real: RealPairScores | None, plan: Bootstrap, seed: int
) -> dict[str, Any]:
    found = {**likeness(known, swapped, plan), **round_trip(known, swapped, plan), **code_cycle(known, swapped, plan)}
    if swapped.answers is not None:
        found |= transfer(known, swapped, plan) | kid_estimates(known, swapped, plan, seed)
    if real is not None:
        found |= identity(known, swapped, real, kind, plan, seed)
    return found


def _shown(known: Known, swapped: Swapped, most: int) -> list[SwapExample]:
    donors, pictures = swapped.donors, known.encoded.pictures
    shown = []
    for place in range(min(most, len(donors))):
        rest, expression, truth = donors.rest[place], donors.expression[place], swapped.truths[place]
        shown.append(
            SwapExample(
                pictures[rest],
                pictures[expression],
                swapped.pictures[place],
                None if truth < 0 else pictures[truth],
                known.classes[known.labels[rest]],
                known.classes[known.labels[expression]],
            )
        )
    return shown
