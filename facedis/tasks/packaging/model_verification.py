"""List, describe and verify models."""

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

#: Largest allowed difference of an output from its value at packing time; rounding differs between machines.
TOLERANCE = 1e-2


def list_models() -> dict[str, Any]:
    """The record of kind "models": the bundled models, and the default model of commands."""
    bundled = [_summary(folder, name) for name in pretrained.list_names() if (folder := pretrained.model_dir(name))]
    newest = newest_run()
    default = str(newest) if newest else pretrained.DEFAULT if pretrained.DEFAULT in pretrained.list_names() else None
    return record("models", models=bundled, n=len(bundled), default=default)


def show_model(run: Run) -> dict[str, Any]:
    """The record of kind "model": settings and sizes of a model."""
    description = describe_model(run, collect_results(run))
    files = {path.name: path.stat().st_size for path in sorted(run.path.iterdir()) if path.is_file()}
    info = description["info"]
    details = {key: info.get(key) for key in ("created", "command", "training", "faces", "versions", "machine")}
    return record(
        "model",
        model=run.display_name,
        name=description["name"],
        packed=run.packed,
        trunk=run.config.trunk,
        classes=run.classes,
        seed=run.train_config.seed,
        parameters=description["parameters"],
        parts=_parameters(run),
        codes=description["codes"],
        files=files,
        settings={"model": info["model"], "train": info["train"]},
        accuracy=accuracies(description["results"]),
        **details,
    )


def verify_model(name: str | None = None) -> dict[str, Any]:
    """Compare the files of a packed model with its manifest, and its outputs on a face with those at packing time.

    Args:
        name: As in `load_model`; None for the bundled model. A model with damaged files is not loaded.

    Returns:
        The record of kind "model_verification".

    Raises:
        RunError: The model is not a packed model, which alone has a manifest.
    """
    name = name or pretrained.DEFAULT
    folder = model_folder(name)
    if not is_packed(folder):
        raise RunError(
            f"{name} is not a packed model: it has no {pretrained.METADATA}", "pack a run with `facedis models pack`"
        )
    checks = check_files(folder)
    furthest, seen = None, None
    if not any(check.problem for check in checks):
        furthest, seen = _check_outputs(load_packed(folder, name))
    whole = furthest is not None and furthest <= TOLERANCE
    return record(
        "model_verification",
        model=name,
        files=[_file_row(check) for check in checks],
        seen=seen,
        furthest=furthest,
        whole=whole,
    )


def _file_row(check: FileCheck) -> dict[str, Any]:
    return {"file": check.file, "bytes": check.bytes, "trouble": check.problem}


def accuracies(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Dataset, faces, split and accuracy of each evaluation among `results`."""
    return [
        {key: result[key] for key in ("dataset", "faces", "split")} | {"accuracy": result["task"]["accuracy"]}
        for result in results
        if result["kind"] == "evaluation"
    ]


def _summary(folder: Path, name: str) -> dict[str, Any]:
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
    """The largest difference of an output from its value at packing time, and the predicted expression."""
    with Image.open(run.path / FACE) as image:
        face = np.array(image.convert("RGB"))
    expected, outputs = run.info["check"], reference_outputs(run, face)
    furthest = max(float(np.abs(np.subtract(expected[name], outputs[name])).max()) for name in expected)
    probabilities = np.array(outputs["probabilities"])
    seen = {"expression": run.classes[probabilities.argmax()], "probability": float(probabilities.max())}
    return furthest, seen


def _parameters(run: Run) -> dict[str, int]:
    """The number of parameters of each part of the network."""
    return {name: sum(value.numel() for value in part.parameters()) for name, part in run.model.named_children()}
