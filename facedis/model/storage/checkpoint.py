"""Run folders: run.json describes the model, model.safetensors holds its tensors.

All files are plain tensors and JSON, so that they do not depend on versions of libraries.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from facedis.atomic_io import atomic_write, write_text
from facedis.config import ModelConfig, TrainConfig, resolve
from facedis.errors import ConfigError, RunError
from facedis.locks import is_locked
from facedis.model.network.adversaries import Adversaries
from facedis.model.network.disentangler import Disentangler, build

RUN, MODEL, HISTORY, CHECKPOINT, LATEST = (
    "run.json",
    "model.safetensors",
    "history.jsonl",
    "checkpoint.safetensors",
    "latest",
)
FORMAT = 2
#: Modules by the prefix of their tensors in a file; None for a module that a model does not have.
Modules = Mapping[str, nn.Module | None]


@dataclass(frozen=True)
class Run:
    """A trained model and its metadata.

    Attributes:
        path: The run folder, or the folder of a packed model (`facedis.model.storage.packed`).
        display_name: Name of the model in results and messages.
        info: Content of run.json, or of a packed model's model.json.
        classes: Expression names, in the order of the logits.
        config: Settings of the model.
        train_config: Settings of the training.
        model: The disentangler, in eval mode, on the CPU.
        adversary: The adversaries at the end of the training; None for a baseline and a packed model.
    """

    path: Path
    display_name: str
    info: dict[str, Any]
    classes: tuple[str, ...]
    config: ModelConfig
    train_config: TrainConfig
    model: Disentangler
    adversary: Adversaries | None

    @property
    def faces(self) -> Path:
        """Path of the faces cache that the model was trained on."""
        return Path(self.info["faces"]["path"])

    @property
    def packed(self) -> bool:
        """Whether this is a packed model."""
        return "packed" in self.info

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the tensors' file. Codes of models with different fingerprints are not comparable."""
        return sha256(self.path / MODEL)

    @property
    def grey(self) -> bool:
        """Whether the model was trained on grey faces, so that its input must be grey."""
        return bool(self.info["faces"]["grey"])


def newest_run(folder: Path = Path("runs")) -> Path | None:
    """The run that `folder`/latest points to; None if there is none."""
    latest = folder / LATEST
    if latest.is_file():  # a file with the name, on file systems without links
        latest = folder / latest.read_text().strip()
    return latest.resolve() if latest.is_dir() else None


def mark_latest(run: Path) -> None:
    """Make `latest`, in the parent folder of `run`, point to `run`."""
    latest, draft = run.parent / LATEST, run.parent / f".{LATEST}.{os.getpid()}-{secrets.token_hex(4)}"
    try:
        draft.symlink_to(run.name)
    except OSError:
        draft.write_text(run.name)
    os.replace(draft, latest)


def read_info(path: Path) -> dict[str, Any]:
    """The content of run.json of a run folder.

    Raises:
        RunError: The folder is missing, is not a run folder, or has another format.
    """
    path = Path(path)
    if not path.is_dir():
        raise RunError(f"there is no run folder {path}", "train one with `facedis train`")
    try:
        info = json.loads((path / RUN).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(
            f"{path} is not a run folder: it has no {RUN}", "name a folder made by `facedis train`"
        ) from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path / RUN} cannot be read: {error}", "train again") from error
    if info.get("format") != FORMAT:
        raise RunError(f"{path} is a run of format {info.get('format')}, this facedis reads {FORMAT}", "train again")
    return info


def write_info(path: Path, info: dict[str, Any]) -> None:
    """Write run.json atomically."""
    write_text(path / RUN, json.dumps(info, indent=2, ensure_ascii=False) + "\n")


def load_run(path: Path | str) -> Run:
    """Load the model of a run folder.

    Raises:
        RunError: It is not a run folder, has no model yet, or the model does not fit run.json.
    """
    path = Path(path)
    info = read_info(path)
    if not (path / MODEL).is_file():
        hint = f"finish it with `facedis train --resume {path}`" if (path / CHECKPOINT).exists() else "train it again"
        if is_locked(path):
            hint = "wait for its training to end"
        raise RunError(f"{path} contains no trained model yet", hint)
    try:
        return rebuild_run(path, str(path), info)
    except (ConfigError, KeyError, TypeError) as error:
        raise RunError(f"{path / RUN} does not describe a model: {error}", "train again with this version") from error


def rebuild_run(path: Path, display_name: str, info: Mapping[str, Any], with_adversary: bool = True) -> Run:
    """Build the model that `info` describes and load its tensors.

    Args:
        path: The folder of model.safetensors.
        display_name: As `Run.display_name`.
        info: As `Run.info`.
        with_adversary: Whether the file contains the adversaries.

    Raises:
        ConfigError, KeyError, TypeError: `info` does not describe a model.
        RunError: The file is broken or belongs to another model.
    """
    config = resolve(ModelConfig, info["model"], {"weights": "none"})  # all tensors are in the file
    train_config = resolve(TrainConfig, info["train"])
    classes = tuple(info["classes"])
    sizes = {"expression": len(classes)} | {name: about["size"] for name, about in info["factors"].items()}
    model, adversary = build(config, sizes)
    adversary = adversary if with_adversary else None
    load_tensors(path / MODEL, {"model": model, "adversary": adversary})
    model.trunk.pretrained = info["pretrained"]
    return Run(
        path, display_name, dict(info), classes, config, train_config, model.eval(), adversary and adversary.eval()
    )


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def named_tensors(modules: Modules) -> dict[str, Tensor]:
    """All tensors of the modules, by name; the name of the module is the prefix."""
    return {
        f"{prefix}.{name}": value
        for prefix, module in modules.items()
        if module is not None
        for name, value in module.state_dict().items()
    }


def load_tensors(path: Path, modules: Modules) -> None:
    """Load modules from a file with the tensors of `named_tensors`.

    Retention heads in the file are ignored if the model has none, as they are used in training only.

    Raises:
        RunError: The file is broken or belongs to another model.
    """
    tensors, _ = read_tensors(path)
    try:
        for prefix, module in modules.items():
            if module is not None:
                start = f"{prefix}."
                found = {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
                if not getattr(module, "retention_heads", None):
                    found = {name: value for name, value in found.items() if not name.startswith("retention_heads.")}
                module.load_state_dict(found)
    except RuntimeError as error:
        raise RunError(
            f"{path} does not fit its run.json", "the files belong to different runs: train again"
        ) from error


def save_tensors(path: Path, tensors: dict[str, Tensor], about: dict[str, Any] | None = None) -> None:
    """Write tensors and JSON metadata to a safetensors file, atomically.

    Raises:
        OutputError: The file cannot be written.
    """
    ready = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with atomic_write(path) as temporary:
        save_file(ready, temporary, {"about": json.dumps(about or {})})


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the JSON metadata of a file of `save_tensors`.

    Raises:
        RunError: It is not a complete safetensors file.
    """
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise RunError(f"{path} is broken: {error}", "train again, or copy the run folder again") from error
