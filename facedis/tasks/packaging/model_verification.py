"""What there is to know of models that are here: which, how large, and whether they are whole."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from facedis import pretrained
from facedis.errors import RunError
from facedis.model.storage.checkpoint import Run, newest_run
from facedis.model.storage.packed import FACE, FileCheck, check_files, is_packed, load_packed, read_packed_info
from facedis.model.storage.registry import model_folder
from facedis.result import record
from facedis.tasks.packaging.model_metadata import collect_results, describe_model, read_results
from facedis.tasks.packaging.packing import reference_outputs

#: Largest difference of a number to what it was when the model was packed, for another machine adds otherwise.
TOLERANCE = 1e-2


def list_models() -> dict[str, Any]:
    """The record of kind "models": every model inside the package, and which one answers where none is named."""
    inside = [_line(pretrained.model_dir(name), name) for name in pretrained.list_names()]
    newest = newest_run()
    default = str(newest) if newest else pretrained.DEFAULT if pretrained.DEFAULT in pretrained.list_names() else None
    return record("models", models=inside, n=len(inside), default=default)


def show_model(run: Run) -> dict[str, Any]:
    """The record of kind "model": settings and sizes of a model."""
    known = describe_model(run, collect_results(run))
    files = {path.name: path.stat().st_size for path in sorted(run.path.iterdir()) if path.is_file()}
    about = {key: known["info"].get(key) for key in ("created", "command", "training", "faces", "versions", "machine")}
    return record(
        "model",
        model=run.display_name,
        name=known["name"],
        packed=run.packed,
        trunk=run.config.trunk,
        classes=run.classes,
        seed=run.train_config.seed,
        parameters=known["parameters"],
        parts=_parameters(run),
        codes=known["codes"],
        files=files,
        settings={"model": known["info"]["model"], "train": known["info"]["train"]},
        accuracy=accuracies(known["results"]),
        **about,
    )


def verify_model(which: str | None = None) -> dict[str, Any]:
    """The record of kind "model_verification": every file against the manifest, then the model on a face.

    Args:
        which: As in `load_model`. A damaged model is not loaded, so that its damage can be told.

    Raises:
        RunError: It is a run: only a packed model has a manifest.
    """
    which = which or pretrained.DEFAULT
    folder = model_folder(which)
    if not is_packed(folder):
        raise RunError(
            f"{which} is no packed model: it has no {pretrained.METADATA}", "pack a run with `facedis models pack`"
        )
    checks = check_files(folder)
    furthest, seen = None, None
    if not any(check.problem for check in checks):
        furthest, seen = _check_outputs(load_packed(folder, which))
    whole = furthest is not None and furthest <= TOLERANCE
    return record(
        "model_verification",
        model=which,
        files=[_file_row(check) for check in checks],
        seen=seen,
        furthest=furthest,
        whole=whole,
    )


def _file_row(check: FileCheck) -> dict[str, Any]:
    return {"file": check.file, "bytes": check.bytes, "trouble": check.problem}


def accuracies(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each evaluation: the faces, the split, and the figure of the accuracy."""
    measured = (found for found in results if found["kind"] == "evaluation")
    return [
        {key: found[key] for key in ("dataset", "faces", "split")} | {"accuracy": found["task"]["accuracy"]}
        for found in measured
    ]


def _line(folder: Path, name: str) -> dict[str, Any]:
    info = read_packed_info(folder)
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return {
        "name": name,
        "trunk": info["model"]["trunk"],
        "classes": info["classes"],
        "bytes": size,
        "decoder": info["model"]["decoder"] != "none",
        "dataset": info["faces"]["dataset"],
        "accuracy": accuracies(read_results(folder)),
    }


def _check_outputs(run: Run) -> tuple[float, dict[str, Any]]:
    """How far the model's answers are from those when it was packed, and what it sees in its face."""
    with Image.open(run.path / FACE) as image:
        face = np.array(image.convert("RGB"))
    wanted, found = run.info["check"], reference_outputs(run, face)
    furthest = max(float(np.abs(np.subtract(wanted[name], found[name])).max()) for name in wanted)
    probabilities = np.array(found["probabilities"])
    seen = {"expression": run.classes[probabilities.argmax()], "probability": float(probabilities.max())}
    return furthest, seen


def _parameters(run: Run) -> dict[str, int]:
    """How many numbers each part of the network has."""
    return {name: sum(value.numel() for value in part.parameters()) for name, part in run.model.named_children()}
