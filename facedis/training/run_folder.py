"""The run folder during training: run.json at the start, one line of history per epoch."""

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

import torch

from facedis import __version__
from facedis.atomic_io import write_text
from facedis.config import ModelConfig, TrainConfig, as_dict, as_tables, to_toml
from facedis.errors import OutputError
from facedis.locks import folder_lock
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import FORMAT, HISTORY, RUN, mark_latest, write_info
from facedis.training.data import TrainingData

#: All settings of the run; `facedis train --config` repeats it.
SETTINGS = "config.toml"
_PACKAGES = ("torch", "torchvision", "facenet-pytorch", "lightning-fabric", "numpy", "h5py", "safetensors")


@contextmanager
def new_run_folder(folder: Path, name: str, numbered: bool = False) -> Iterator[Path]:
    """Create the folder of a new run and hold its lock while the block runs; yield the path.

    A folder in which nothing was written is deleted at the end.

    Args:
        folder: The folder of the run folders.
        name: Name of the run.
        numbered: Whether to append -2, -3, ... to a name that is taken.

    Raises:
        OutputError: The folder already contains a run, is being written by another process, or cannot be written.
    """
    try:
        run = _numbered_folder(folder, name) if numbered else folder / name
    except OSError as error:
        raise OutputError(f"cannot make a run folder in {folder}: {error.strerror}", "choose another --runs") from error
    try:
        with folder_lock(run):
            _refuse_run(run)
            yield run
    finally:
        with suppress(OSError):
            run.rmdir()  # fails unless it is empty


def _numbered_folder(folder: Path, name: str) -> Path:
    for number in count(1):
        run = folder / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            run.mkdir(parents=True)
            break
    return run


def _refuse_run(run: Path) -> None:
    if (run / RUN).exists():
        raise OutputError(f"{run} already contains a run", f"continue it with --resume {run}, or choose another --name")


def start_run(run: Path, data: TrainingData, pretrained: bool, model: ModelConfig, config: TrainConfig) -> None:
    """Create the run folder, with run.json and config.toml to rebuild the model and repeat the run.

    Raises:
        OutputError: The folder already contains a run, or cannot be written.
    """
    _refuse_run(run)
    cache, info = data.cache, data.cache.info
    faces = {
        "path": str(cache.path.resolve()),
        "fingerprint": info.fingerprint,
        "dataset": info.dataset,
        "crop": info.crop,
        "margin": info.margin,
        "size": info.size,
        "detector": info.detector,
        "grey": cache.grey,
        "classes": list(info.classes),
    }
    write_info(
        run,
        {
            "format": FORMAT,
            "facedis": __version__,
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "command": shlex.join(sys.argv),
            "classes": list(data.classes),
            "factors": {name: target.to_dict() for name, target in data.targets.items()},
            "pretrained": pretrained,
            "model": as_dict(model),
            "train": as_dict(config),
            "seed": config.seed,
            "faces": faces,
            "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
            "machine": _machine(config),
            "commit": _commit(),
        },
    )
    write_text(run / SETTINGS, to_toml(as_tables(model, config), faces=cache.path.resolve()))
    mark_latest(run)


def append_history(run: Path, line: Mapping[str, Any], name: str = HISTORY) -> int:
    """Append a line to the history and return its new length in bytes."""
    with (run / name).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        return file.tell()


def write_scalars(run: Path, line: Mapping[str, Any]) -> None:
    """Append a line of the history to the TensorBoard files of the run folder; needs the package tensorboard."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(run)) as writer:
        for part in ("train", "val"):
            for name, value in line.get(part, {}).items():
                writer.add_scalar(f"{name}/{part}", value, line["epoch"])


def truncate_history(run: Path, length: int, name: str = HISTORY) -> None:
    """Remove the lines that were written after the checkpoint of a resumed run.

    Args:
        run: The run folder.
        length: Length of the history in bytes at the checkpoint.
        name: File name of the history.
    """
    path = run / name
    if path.exists():
        with path.open("r+b") as file:
            file.truncate(length)


def read_history(run: Path) -> list[dict[str, Any]]:
    """The lines of a run's history, one per epoch."""
    path = run / HISTORY
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _machine(config: TrainConfig) -> str:
    """System, processor, number of cores and, if the run uses one, the GPU."""
    parts = [f"{platform.system()} {platform.machine()}", processor(), f"{os.cpu_count()} cores"]
    if pick_device(config.runtime.device).type == "cuda":
        parts.append(torch.cuda.get_device_name())
    return ", ".join(parts)


def processor() -> str:
    """Name of the processor."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8", errors="replace").splitlines() if about.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


def _commit() -> str | None:
    """The commit of facedis, if it runs from a git checkout."""
    folder = Path(__file__).parent
    command = ["git", "-C", str(folder), "rev-parse", "HEAD", "--show-toplevel"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.split("\n")
    except (OSError, subprocess.SubprocessError):
        return None
    return answer[0] if (Path(answer[1]) / "facedis").samefile(folder.parent) else None
