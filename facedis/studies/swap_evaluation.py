"""The swaps of a run judged: by models that had no part in it, and against the truth where it is known."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from facedis.config import SwapEvalConfig, as_dict
from facedis.errors import CacheError, RunError
from facedis.events import Event, Listener, silent
from facedis.faces.cache import FacesCache
from facedis.measures.intervals import Bootstrap, clusters
from facedis.measures.pairs import identity_pairs
from facedis.measures.swaps import Donors, Groups, RealPairs, draw_donors, true_swaps
from facedis.model.checkpoint import Run
from facedis.result import record
from facedis.studies.drawing import Drawer, Encoded
from facedis.studies.encode import run_labels
from facedis.studies.judges import ExpressionJudge, FaceJudge, TrunkJudge
from facedis.studies.swap_figures import (
    KINDS,
    Known,
    Swapped,
    code_cycle,
    identity,
    kid,
    likeness,
    round_trip,
    transfer,
)

#: Of a rendered face, how strong its expression is; every other factor is its setting.
_STRENGTH = "intensity"
_NO_JUDGE = "no judge of expressions was named (--judge)"
_NO_FACE_JUDGE = "no judge of people was named (--face-judge)"


class Draws(Protocol):
    """What draws swaps: a run's `Drawer`, or anything else that shall be judged as one."""

    def encode(self, faces: np.ndarray) -> Encoded:
        """Codes and reconstructions of (n, S, S, 3) uint8 faces."""

    def draw(self, expression: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """(n, S, S, 3) uint8 pictures of n expression codes with n rest codes."""


@dataclass(frozen=True)
class Judges:
    """Who judges; what nobody judges is left out of the record."""

    expression: ExpressionJudge | None = None
    face: FaceJudge | TrunkJudge | None = None


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
    """

    pictures: np.ndarray
    labels: np.ndarray
    identities: np.ndarray
    classes: tuple[str, ...]
    settings: np.ndarray | None = None
    strength: np.ndarray | None = None


class Shown(NamedTuple):
    """One swap for the contact sheet: pictures (S, S, 3) uint8, the truth None where it is unknown."""

    rest_donor: np.ndarray
    expression_donor: np.ndarray
    swap: np.ndarray
    truth: np.ndarray | None
    rest_expression: str
    expression: str


class SwapEvaluation(NamedTuple):
    """Swaps judged.

    Attributes:
        record: Of kind "swap_eval"; keys in docs/results.md.
        shown: The first of the swaps, whose order is random.
    """

    record: dict[str, Any]
    shown: list[Shown]


def evaluate_swaps(
    run: Run, cache: FacesCache, config: SwapEvalConfig, judges: Judges, listener: Listener = silent
) -> SwapEvaluation:
    """Judge the swaps of a run on one split of a faces cache.

    Args:
        run: A model with a decoder.
        cache: Faces with expressions.
        config: Which split, how many swaps.
        judges: See `facedis.studies.judges`, which refuses those that are not independent.
        listener: Told of the progress.

    Raises:
        RunError: The run cannot draw, or a judge does not know its expressions.
        CacheError: The split has no two faces with different expressions.
    """
    drawer = Drawer(run, config.device, config.batch)
    if judges.expression is not None:
        _refuse_ignorant(judges.expression, run)
    labels = np.where(cache.usable, run_labels(run, cache), -1)
    rows = np.flatnonzero((labels >= 0) & ((cache.splits == config.split) | (config.split == "all")))
    if len(np.unique(labels[rows])) < 2:
        raise CacheError(
            f"{cache.path} has no two expressions to exchange in the split '{config.split}'", _others(cache)
        )
    chosen = np.sort(np.random.default_rng(config.seed).permutation(rows)[: config.faces_used])
    factors = {name: values[chosen] for name, values in cache.factors.items()}
    known = _STRENGTH in factors
    faces = Faces(
        cache.faces(chosen),
        labels[chosen],
        cache.identities[chosen],
        run.classes,
        np.stack([values for name, values in factors.items() if name != _STRENGTH], axis=1) if known else None,
        factors.get(_STRENGTH),
    )
    numbers, shown = judged_swaps(drawer, faces, judges, config, listener)
    result = record(
        "swap_eval",
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        model=str(run.path),
        faces=str(cache.path),
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


def judged_swaps(
    draws: Draws, faces: Faces, judges: Judges, config: SwapEvalConfig, listener: Listener = silent
) -> tuple[dict[str, Any], list[Shown]]:
    """All numbers of a record of kind "swap_eval", and the swaps to show."""
    listener(Event("start", "judging swaps"))
    reasons: dict[str, str] = {}
    known = _known(draws, faces, judges)
    swapped: dict[str, Swapped | None] = {}
    for kind in KINDS:
        donors = draw_donors(faces.labels, faces.identities, kind == "across", config.pairs, config.seed)
        swapped[kind] = _swapped(draws, known, donors, judges) if len(donors) else None
        if not len(donors):
            reasons[kind] = f"there are no two faces for a swap {kind}{' people' if kind == 'across' else ' a person'}"
    with threadpool_limits(1):  # the numbers do not depend on the machine's cores
        numbers = _numbers(known, swapped, judges, config, reasons)
    listener(Event("end", "judging swaps"))
    kind = next((kind for kind in KINDS if swapped[kind] is not None), None)
    return numbers | {"reasons": reasons}, [] if kind is None else _shown(known, swapped[kind], config.shown)


def _known(draws: Draws, faces: Faces, judges: Judges) -> Known:
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
        faces.settings,
        faces.strength,
        encoded,
        answers,
        features,
        drawn_answers,
        drawn_features,
        embeddings,
        drawn_embeddings,
    )


def _swapped(draws: Draws, known: Known, donors: Donors, judges: Judges) -> Swapped:
    own = known.encoded
    pictures = draws.draw(own.expression[donors.expression], own.rest[donors.rest])
    again = draws.encode(pictures)
    other = draws.encode(draws.draw(own.expression[donors.rest], own.rest[donors.expression]))
    answers, features = None, None
    if judges.expression is not None:
        answers, features = _judged(judges.expression, pictures, known.classes)
    return Swapped(
        donors,
        Groups.of(donors, known.identities),
        true_swaps(donors, known.labels, known.identities, known.settings, known.strength),
        pictures,
        again,
        draws.draw(other.expression, again.rest),
        answers,
        features,
        None if judges.face is None else judges.face.embeddings(pictures),
    )


def _judged(judge: ExpressionJudge, pictures: np.ndarray, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(n,) The judge's answer among `classes`, and its features."""
    probabilities, features = judge.judge(pictures)
    return probabilities[:, [judge.classes.index(name) for name in classes]].argmax(axis=1), features


def _numbers(
    known: Known,
    swapped: dict[str, Swapped | None],
    judges: Judges,
    config: SwapEvalConfig,
    reasons: dict[str, str],
) -> dict[str, Any]:
    plan = Bootstrap(draws=config.bootstrap, seed=config.seed)
    numbers: dict[str, Any] = {
        "pairs": {kind: 0 if each is None else len(each.donors) for kind, each in swapped.items()}
    }
    numbers["judges"] = {
        "expression": None if judges.expression is None else judges.expression.about,
        "face": None if judges.face is None else judges.face.about,
    }
    real = None
    if judges.expression is None:
        reasons["transfer"] = reasons["copy_rate"] = reasons["kid"] = _NO_JUDGE
    if judges.face is None:
        reasons["identity"] = _NO_FACE_JUDGE
    else:
        pairs = identity_pairs(known.labels, known.identities, config.seed)
        real = RealPairs.of(known.embeddings, pairs, known.identities, plan)
        if real is None:
            reasons["identity"] = "nobody among these faces is known with two expressions"
        else:
            numbers["judges"]["face"] |= {"auc": real.auc, "threshold": real.threshold}
    for kind, each in swapped.items():
        found = {} if each is None else _of_kind(known, each, kind, real, plan, config.seed)
        if each is not None and not (each.truths >= 0).any():
            reasons[f"psnr.{kind}"] = reasons[f"ssim.{kind}"] = "no face shows what these swaps should look like"
        for name in _MEASURES:
            numbers.setdefault(name, {})[kind] = found.get(name)
    return numbers


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
    known: Known, swapped: Swapped, kind: str, real: RealPairs | None, plan: Bootstrap, seed: int
) -> dict[str, Any]:
    found = {**likeness(known, swapped, plan), **round_trip(known, swapped, plan), **code_cycle(known, swapped, plan)}
    if swapped.answers is not None:
        found |= transfer(known, swapped, plan) | kid(known, swapped, plan, seed)
    if real is not None:
        found |= identity(known, swapped, real, kind, plan, seed)
    return found


def _shown(known: Known, swapped: Swapped, most: int) -> list[Shown]:
    donors, pictures = swapped.donors, known.encoded.pictures
    shown = []
    for place in range(min(most, len(donors))):
        rest, expression, truth = donors.rest[place], donors.expression[place], swapped.truths[place]
        shown.append(
            Shown(
                pictures[rest],
                pictures[expression],
                swapped.pictures[place],
                None if truth < 0 else pictures[truth],
                known.classes[known.labels[rest]],
                known.classes[known.labels[expression]],
            )
        )
    return shown


def _refuse_ignorant(judge: ExpressionJudge, run: Run) -> None:
    lacking = [name for name in run.classes if name not in judge.classes]
    if lacking:
        raise RunError(f"{judge.run.path} does not know {', '.join(lacking)}", "train a judge on the same expressions")


def _notes(run: Run, cache: FacesCache, config: SwapEvalConfig, judges: Judges, there: int) -> list[str]:
    """What a reader must know to judge the numbers."""
    notes = []
    same = run.info["faces"]["fingerprint"] == cache.info.fingerprint
    if same and config.split in ("train", "all"):
        notes.append("the model was trained on some of these faces: expect less of faces that it has not seen")
    if not same:
        notes.append("these are not the faces that the model was trained on")
    if there > config.faces_used:
        notes.append(f"swaps are made of {config.faces_used:,} random faces out of {there:,}")
    if _STRENGTH not in cache.factors and len(np.unique(clusters(cache.identities))) < len(cache):
        notes.append(
            "within a person the truth of a swap is taken to be that person's other photograph: "
            "exact only where both were taken in one setting"
        )
    for judge in (judges.expression, judges.face):
        if isinstance(judge, (ExpressionJudge, FaceJudge)):
            notes += _about_judge(judge.run, run, cache, config)
    return notes


def _about_judge(judge: Run, run: Run, cache: FacesCache, config: SwapEvalConfig) -> list[str]:
    pretrained, seeds = (
        (judge.info["pretrained"], run.info["pretrained"]),
        (judge.train_config.seed, run.train_config.seed),
    )
    alike, notes = judge.config.trunk == run.config.trunk, []
    if alike and all(pretrained):
        notes.append(f"the trunks of {judge.path} and of the model began with published weights of one network")
    if alike and not any(pretrained) and seeds[0] == seeds[1]:
        notes.append(f"{judge.path} and the model began with the same random trunk: train it with another --seed")
    if judge.info["faces"]["fingerprint"] == cache.info.fingerprint and config.split in ("train", "all"):
        notes.append(f"{judge.path} was trained on some of these faces")
    return notes


def _others(cache: FacesCache) -> str:
    found = [split for split in ("train", "val", "test") if len(cache.rows(split))]
    return f"choose --split {' or '.join([*found, 'all'])}"
