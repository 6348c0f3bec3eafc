"""The paper's Tables 1 and 2 by one command: the baseline, and beta1 in 1, 0.001 and 0."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from facedis.config import EvalConfig, as_dict
from facedis.errors import OutputError
from facedis.events import Listener, note, silent
from facedis.faces.cache import FacesCache
from facedis.files import replacing
from facedis.measures.comparison import mcnemar
from facedis.measures.intervals import Bootstrap
from facedis.model.checkpoint import CHECKPOINT, MODEL, load_run, read_info
from facedis.presets import choose
from facedis.result import record, write_result
from facedis.studies.evaluation import measure
from facedis.studies.training import Wish, resume, settings, train


@dataclass(frozen=True)
class Variant:
    """A row of the table: what differs, and what the paper prints for it, as shares."""

    name: str
    model: Mapping[str, Any] = field(default_factory=dict)
    train: Mapping[str, Any] = field(default_factory=dict)
    paper: Mapping[str, float | None] = field(default_factory=dict)


#: Table 1's baseline and Table 2, top to bottom.
PAPER_ROWS = (
    Variant("baseline", model={"baseline": True}, paper={"c_exp": 0.56, "c_adv": None}),
    Variant("beta1-1.0", train={"beta1": 1.0}, paper={"c_exp": 0.51, "c_adv": 0.46}),
    Variant("beta1-0.001", train={"beta1": 0.001}, paper={"c_exp": 0.56, "c_adv": 0.53}),
    Variant("beta1-0", train={"beta1": 0.0}, paper={"c_exp": 0.6053, "c_adv": 0.16}),
)

_MEASURED = ("task", "leakage", "retention", "collapse", "parts", "reasons", "n", "notes")


def ablate(
    faces: Path,
    folder: Path,
    wish: Wish,
    config: EvalConfig,
    listener: Listener = silent,
    seeds: Sequence[int] = (),
) -> dict[str, Any]:
    """Train and evaluate every row under every seed; what is there already is not done again.

    Args:
        faces: The cache.
        folder: One run folder a row (and seed, where there are several), and result.json.
        wish: Preset and settings common to all rows.
        config: How to evaluate.
        listener: Told of the progress.
        seeds: Of the training; none: the one of `wish`.

    Returns:
        The record of kind "ablation": one row for each variant and seed. Each is compared with the
        first variant of the same seed on the same faces.

    Raises:
        OutputError: The folder holds a row of other settings.
    """
    with FacesCache.open(faces) as cache:
        dataset, fingerprint = cache.info.dataset, cache.info.fingerprint
    chosen = tuple(seeds) or (wish.train.get("seed") or 0,)
    rows: list[dict[str, Any]] = []
    first: dict[int, Answers] = {}
    for number, (variant, seed) in enumerate(product(PAPER_ROWS, chosen), 1):
        name = variant.name if len(chosen) == 1 else f"{variant.name}-seed{seed}"
        note(listener, f"row {number} of {len(PAPER_ROWS) * len(chosen)}: {name}")
        _trained(faces, fingerprint, folder, _with(wish, folder, variant, name, seed), listener)
        measured, answers = _evaluated(folder / name, faces, config, listener)
        first.setdefault(seed, answers)
        rows.append(
            {"name": variant.name, "seed": seed, "settings": {**variant.model, **variant.train}, "paper": variant.paper}
            | {key: measured[key] for key in _MEASURED}
            | {"against_first": None if variant is PAPER_ROWS[0] else _compared(answers, first[seed], config)}
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


class Answers(NamedTuple):
    """What a run says about each face: (n,) bool whether it is right, and (n,) str who it is."""

    right: np.ndarray
    identities: np.ndarray


def _compared(answers: Answers, first: Answers, config: EvalConfig) -> dict[str, Any]:
    found = mcnemar(answers.right, first.right, answers.identities, Bootstrap(draws=config.bootstrap, seed=config.seed))
    return asdict(found)


def _with(wish: Wish, folder: Path, variant: Variant, name: str, seed: int) -> Wish:
    """`wish` for one row; a decoder asked for has no place in the baseline."""
    model = {**wish.model, **variant.model}
    if variant.model.get("baseline"):
        model["decoder"] = "none"
    training = {**wish.train, "seed": seed, **variant.train}
    return replace(wish, name=name, folder=folder, model=model, train=training)


def _trained(faces: Path, fingerprint: str, folder: Path, wish: Wish, listener: Listener) -> None:
    run = folder / str(wish.name)
    if not run.exists():
        train(faces, wish, listener)
        return
    info = read_info(run)
    with FacesCache.open(faces) as cache:
        model, training = settings(choose(wish.preset, cache.info.dataset)[0], wish)
    same = info["model"] == as_dict(model) and info["train"] == as_dict(training)
    if not same or info["faces"]["fingerprint"] != fingerprint:
        raise OutputError(f"{run} was trained with other settings or faces", "choose another -o, or delete it")
    if (run / CHECKPOINT).exists():
        resume(run, listener)
    elif (run / MODEL).exists():
        note(listener, f"{run} is trained already")
    else:
        raise OutputError(f"{run} was stopped before its first checkpoint", "delete it and start again")


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
