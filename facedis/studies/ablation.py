"""The paper's Tables 1 and 2 by one command: the baseline, and beta1 in 1, 0.001 and 0."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from facedis.config import EvalConfig, as_dict
from facedis.errors import OutputError
from facedis.events import Listener, note, silent
from facedis.faces.cache import FacesCache
from facedis.model.checkpoint import CHECKPOINT, MODEL, load_run, read_info
from facedis.presets import choose
from facedis.result import record, write_result
from facedis.studies.evaluation import evaluate
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


def ablate(faces: Path, folder: Path, wish: Wish, config: EvalConfig, listener: Listener = silent) -> dict[str, Any]:
    """Train and evaluate every row; rows that are there already are not done again.

    Args:
        faces: The cache.
        folder: One run folder a row, and result.json.
        wish: Preset and settings common to all rows.
        config: How to evaluate.
        listener: Told of the progress.

    Returns:
        The record of kind "ablation".

    Raises:
        OutputError: The folder holds a row of other settings.
    """
    with FacesCache.open(faces) as cache:
        dataset, fingerprint = cache.info.dataset, cache.info.fingerprint
    rows = []
    for number, variant in enumerate(PAPER_ROWS, 1):
        note(listener, f"row {number} of {len(PAPER_ROWS)}: {variant.name}")
        _trained(faces, fingerprint, folder, _with(wish, folder, variant), listener)
        measured = _evaluated(folder / variant.name, faces, config, listener)
        rows.append(
            {"name": variant.name, "settings": {**variant.model, **variant.train}, "paper": variant.paper}
            | {key: measured[key] for key in _MEASURED}
        )
    result = record(
        "ablation",
        command=" ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        model=str(folder),
        faces=str(faces),
        dataset=dataset,
        split=config.split,
        n=rows[0]["n"],
        classes=load_run(folder / PAPER_ROWS[0].name).classes,
        seed=wish.train.get("seed") or 0,
        rows=rows,
    )
    write_result(result, folder / "result.json")
    return result


def _with(wish: Wish, folder: Path, variant: Variant) -> Wish:
    """`wish` for one row; a decoder asked for has no place in the baseline."""
    model = {**wish.model, **variant.model}
    if variant.model.get("baseline"):
        model["decoder"] = "none"
    return replace(wish, name=variant.name, folder=folder, model=model, train={**wish.train, **variant.train})


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


def _evaluated(run: Path, faces: Path, config: EvalConfig, listener: Listener) -> dict[str, Any]:
    place = run / f"eval-{config.split}" / "result.json"
    if place.exists():
        found = json.loads(place.read_text(encoding="utf-8"))
        if found["settings"] == as_dict(config) and Path(found["faces"]) == faces:
            return found
    with FacesCache.open(faces) as cache:
        result = evaluate(load_run(run), cache, config, listener)
    write_result(result, place)
    return result
