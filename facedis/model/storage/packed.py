"""Packed models: self-contained folders for distribution.

A packed model has the tensors in half precision without adversaries and retention heads, the settings of the
network, the model card, the result records, and the SHA-256 of each file. Loading converts to single precision.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from facedis.atomic_io import write_text
from facedis.errors import ConfigError, RunError
from facedis.model.storage.checkpoint import FORMAT, MODEL, Run, rebuild_run, save_tensors, sha256
from facedis.pretrained import METADATA

CARD, RESULTS, MANIFEST, FACE = "card.md", "results.json", "manifest.json", "face.png"
#: Version of the layout.
PACKED = 1
_HINT = "pack the run again with this version, or download the folder again"


class FileCheck(NamedTuple):
    """Comparison of a file with the manifest.

    Attributes:
        file: Its name.
        bytes: Its size.
        problem: What is wrong; empty for an intact file.
    """

    file: str
    bytes: int
    problem: str


def is_packed(path: Path) -> bool:
    """Whether `path` is the folder of a packed model."""
    return (path / METADATA).is_file()


def read_packed_info(path: Path) -> dict[str, Any]:
    """The content of model.json of a packed model.

    Raises:
        RunError: It cannot be read, or has another format.
    """
    try:
        info = json.loads((path / METADATA).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path / METADATA} cannot be read: {error}", _HINT) from error
    if not isinstance(info, dict) or (info.get("packed"), info.get("format")) != (PACKED, FORMAT):
        raise RunError(f"{path} is a packed model of another format", _HINT)
    return info


def load_packed(path: Path, display_name: str | None = None) -> Run:
    """Load a packed model, in single precision.

    Args:
        path: The folder.
        display_name: As `Run.display_name`; None for the path.

    Raises:
        RunError: The folder is incomplete, broken, or has another format.
    """
    info = read_packed_info(path)
    if not (path / MODEL).is_file():
        raise RunError(f"{path} has no {MODEL}", _HINT)
    try:
        return rebuild_run(path, display_name or str(path), info, with_adversary=False)
    except (ConfigError, KeyError, TypeError) as error:
        raise RunError(f"{path / METADATA} does not describe a model: {error}", _HINT) from error


def save_packed_tensors(run: Run, path: Path) -> None:
    """Write the tensors of `run` into the folder `path`, in half precision and without retention heads.

    Two kinds of tensors stay in single precision: those with values outside the range of half precision, and
    the last convolution of the rest branch. The erasure of the expression is exact in the null space of its
    matrix; rounding leaves a small remainder that whitening amplifies.
    """
    branch = run.model.rest_branch
    exact = "" if branch is None else f"rest_branch.layers.{len(branch.layers) - 1}."
    named = {
        f"model.{name}": value if exact and name.startswith(exact) else to_half(value)
        for name, value in run.model.state_dict().items()
        if not name.startswith("retention_heads.")
    }
    save_tensors(path / MODEL, named)


def to_half(value: Tensor) -> Tensor:
    """`value` in half precision if it has floating-point values that fit, else unchanged."""
    if not value.is_floating_point():
        return value
    half = value.to(torch.float16)
    return half if torch.isfinite(half).all() or not torch.isfinite(value).all() else value


def write_manifest(path: Path) -> None:
    """Write the size and SHA-256 of every other file of the folder to manifest.json."""
    files = {name: {"bytes": (path / name).stat().st_size, "sha256": sha256(path / name)} for name in _files(path)}
    write_text(path / MANIFEST, json.dumps({"files": files}, indent=2) + "\n")


def read_manifest(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Size and SHA-256 of each file in manifest.json, by name.

    Raises:
        RunError: The manifest is missing or cannot be read.
    """
    try:
        files = json.loads((path / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {
            str(name): {"bytes": int(about["bytes"]), "sha256": str(about["sha256"])} for name, about in files.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path / MANIFEST} cannot be read: {error}", _HINT) from error


def check_files(path: Path) -> list[FileCheck]:
    """Compare all files of the manifest and of the folder with the manifest."""
    expected = read_manifest(path)
    found = [_check_file(path / name, about) for name, about in expected.items()]
    extra = (name for name in _files(path) if name not in expected)
    return found + [FileCheck(name, (path / name).stat().st_size, "is not in the manifest") for name in extra]


def _check_file(path: Path, about: Mapping[str, Any]) -> FileCheck:
    try:
        size = path.stat().st_size
        problem = "" if sha256(path) == about["sha256"] else "differs from the packed file"
    except OSError as error:
        return FileCheck(path.name, 0, "is missing" if isinstance(error, FileNotFoundError) else str(error.strerror))
    if size < about["bytes"]:
        problem = f"is truncated: {size:,} of {about['bytes']:,} bytes"
    return FileCheck(path.name, size, problem)


def _files(path: Path) -> list[str]:
    """Names of the files in the folder, without the manifest, README.md and hidden files."""
    files = (each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
    return sorted(each.name for each in files if each.name not in (MANIFEST, "README.md"))
