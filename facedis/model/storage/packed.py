"""A packed model: a folder that is complete by itself, to be shipped, sent, or put on a hub.

It holds the tensors in half precision without what only helped to train, all that is needed to
rebuild the network, the model card, the records it was measured with, and the SHA-256 of each file.
Loading gives single precision again.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from facedis.atomic_io import write_text
from facedis.errors import ConfigError, RunError
from facedis.model.storage.checkpoint import FORMAT, MODEL, Run, digest, rebuild_run, save_tensors
from facedis.pretrained import METADATA

CARD, RESULTS, MANIFEST, FACE = "card.md", "results.json", "manifest.json", "face.png"
#: Raised when a folder is laid out otherwise.
PACKED = 1
_AGAIN = "pack the run again with this version, or fetch the folder anew"


class FileCheck(NamedTuple):
    """What the manifest says of a file: whether it is the one that was packed, else why not."""

    file: str
    bytes: int
    problem: str


def is_packed(path: Path) -> bool:
    """Whether `path` is the folder of a packed model."""
    return (path / METADATA).is_file()


def read_packed_info(path: Path) -> dict[str, Any]:
    """model.json of the packed model in `path`.

    Raises:
        RunError: It cannot be read, or is of another format.
    """
    try:
        info = json.loads((path / METADATA).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path / METADATA} cannot be read: {error}", _AGAIN) from error
    if not isinstance(info, dict) or (info.get("packed"), info.get("format")) != (PACKED, FORMAT):
        raise RunError(f"{path} is a packed model of another format than this facedis reads", _AGAIN)
    return info


def load_packed(path: Path, display_name: str | None = None) -> Run:
    """The packed model in the folder `path`, in single precision.

    Args:
        path: The folder.
        display_name: What the user calls it; None for the path itself.

    Raises:
        RunError: The folder is not complete, broken, or of another format.
    """
    info = read_packed_info(path)
    if not (path / MODEL).is_file():
        raise RunError(f"{path} has no {MODEL}", _AGAIN)
    try:
        return rebuild_run(path, display_name or str(path), info, with_adversary=False)
    except (ConfigError, KeyError, TypeError) as error:
        raise RunError(f"{path / METADATA} does not describe a model: {error}", _AGAIN) from error


def save_packed_tensors(run: Run, path: Path) -> None:
    """Write the tensors of `run` into the folder `path`, in half precision and without helpers.

    A number that half precision cannot hold keeps its whole tensor in single precision, and so does
    the last convolution of the rest branch: what was erased there in closed form is what its matrix
    maps to nothing, and rounded it would let a little of that through, which whitening makes loud.
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
    """`value` in half precision where it is made of floats that fit, else as it is."""
    if not value.is_floating_point():
        return value
    half = value.to(torch.float16)
    return half if torch.isfinite(half).all() or not torch.isfinite(value).all() else value


def write_manifest(path: Path) -> None:
    """Write down the size and SHA-256 of every other file of the folder."""
    files = {name: {"bytes": (path / name).stat().st_size, "sha256": digest(path / name)} for name in _files(path)}
    write_text(path / MANIFEST, json.dumps({"files": files}, indent=2) + "\n")


def read_manifest(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Size and SHA-256 of each file, by name.

    Raises:
        RunError: There is no manifest, or it cannot be read.
    """
    try:
        files = json.loads((path / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {
            str(name): {"bytes": int(about["bytes"]), "sha256": str(about["sha256"])} for name, about in files.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path / MANIFEST} cannot be read: {error}", _AGAIN) from error


def check_files(path: Path) -> list[FileCheck]:
    """Every file that the manifest names or that lies in the folder, and what is wrong with it."""
    wanted = read_manifest(path)
    found = [_check_file(path / name, about) for name, about in wanted.items()]
    extra = (name for name in _files(path) if name not in wanted)
    return found + [FileCheck(name, (path / name).stat().st_size, "is not in the manifest") for name in extra]


def _check_file(path: Path, about: Mapping[str, Any]) -> FileCheck:
    try:
        size = path.stat().st_size
        problem = "" if digest(path) == about["sha256"] else "is not the file that was packed"
    except OSError as error:
        return FileCheck(path.name, 0, "is missing" if isinstance(error, FileNotFoundError) else str(error.strerror))
    if size < about["bytes"]:
        problem = f"is cut off: {size:,} of {about['bytes']:,} bytes"
    return FileCheck(path.name, size, problem)


def _files(path: Path) -> list[str]:
    """The files of the folder by name, without the manifest and what a system or hub leaves behind."""
    files = (each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
    return sorted(each.name for each in files if each.name not in (MANIFEST, "README.md"))
