"""A run folder: run.json says how to rebuild the model, model.safetensors holds its tensors.

Checkpoints are plain tensors and JSON, so no library version can break them.
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


@dataclass(frozen=True)
class Run:
    """A trained model and all that was written about it.

    Attributes:
        path: The run folder, or that of a packed model (`facedis.model.storage.packed`).
        display_name: What the user calls it; results and messages say this.
        info: Content of run.json, or of a packed model's model.json.
        classes: Expression names, in the order of the logits.
        config: The model's settings.
        train_config: The settings it was trained with.
        model: The disentangler, in eval mode, on the CPU.
        adversary: C_adv and its like as they were at the end, None for a baseline and a packed model.
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
        """The faces cache it was trained on, as it was called then."""
        return Path(self.info["faces"]["path"])

    @property
    def packed(self) -> bool:
        """Whether it is a packed model: complete, read only, and made to be given away."""
        return "packed" in self.info

    @property
    def fingerprint(self) -> str:
        """Equal for two models with the same file of tensors: codes of other tensors cannot be compared."""
        return digest(self.path / MODEL)

    @property
    def grey(self) -> bool:
        """Whether it never saw a colour, so that faces must lose theirs first."""
        return bool(self.info["faces"]["grey"])


def newest_run(folder: Path = Path("runs")) -> Path | None:
    """The run that `folder`/latest points to; None where there is none yet."""
    latest = folder / LATEST
    if latest.is_file():  # where the file system has no links, its name is written down instead
        latest = folder / latest.read_text().strip()
    return latest.resolve() if latest.is_dir() else None


def mark_latest(run: Path) -> None:
    """Make `latest` beside `run` point to it."""
    latest, draft = run.parent / LATEST, run.parent / f".{LATEST}.{os.getpid()}-{secrets.token_hex(4)}"
    try:
        draft.symlink_to(run.name)
    except OSError:
        draft.write_text(run.name)
    os.replace(draft, latest)


def read_info(path: Path) -> dict[str, Any]:
    """run.json of the run folder `path`.

    Raises:
        RunError: The folder is missing, is no run, or of another format.
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
    """Write run.json whole or not at all."""
    write_text(path / RUN, json.dumps(info, indent=2, ensure_ascii=False) + "\n")


def load_run(path: Path | str) -> Run:
    """The model of a run folder, rebuilt from what the folder says and never from options.

    Raises:
        RunError: No run, no model in it yet, or a model that does not fit run.json.
    """
    path = Path(path)
    info = read_info(path)
    if not (path / MODEL).is_file():
        hint = f"finish it with `facedis train --resume {path}`" if (path / CHECKPOINT).exists() else "train it again"
        if is_locked(path):
            hint = "wait for its training to end"
        raise RunError(f"{path} holds no trained model yet", hint)
    try:
        return rebuild_run(path, str(path), info)
    except (ConfigError, KeyError, TypeError) as error:
        raise RunError(f"{path / RUN} does not describe a model: {error}", "train again with this version") from error


def rebuild_run(path: Path, display_name: str, info: Mapping[str, Any], with_adversary: bool = True) -> Run:
    """The model that `info` describes with the tensors of the folder `path`.

    Args:
        path: The folder; in it model.safetensors.
        display_name: What the user calls it.
        info: As `Run.info`.
        with_adversary: Whether the file holds the adversaries too.

    Raises:
        ConfigError, KeyError, TypeError: `info` describes no model.
        RunError: The file is broken or belongs to another model.
    """
    config = resolve(ModelConfig, info["model"], {"weights": "none"})  # the file brings all tensors
    train_config = resolve(TrainConfig, info["train"])
    classes = tuple(info["classes"])
    sizes = {"expression": len(classes)} | {name: about["size"] for name, about in info["factors"].items()}
    model, adversary = build(config, sizes)
    adversary = adversary if with_adversary else None
    load_tensors(path / MODEL, model, adversary)
    model.trunk.pretrained = info["pretrained"]
    return Run(
        path, display_name, dict(info), classes, config, train_config, model.eval(), adversary and adversary.eval()
    )


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    return found.hexdigest()


def named_tensors(model: nn.Module, adversary: nn.Module | None) -> dict[str, Tensor]:
    """Every tensor of a model and its adversary, by name."""
    named = {f"model.{name}": value for name, value in model.state_dict().items()}
    if adversary is not None:
        named |= {f"adversary.{name}": value for name, value in adversary.state_dict().items()}
    return named


def load_tensors(path: Path, model: nn.Module, adversary: nn.Module | None) -> None:
    """Fill a model and its adversary from a file that `save_tensors` wrote.

    Raises:
        RunError: The file is broken or belongs to another model.
    """
    tensors, _ = read_tensors(path)
    try:
        for prefix, module in (("model.", model), ("adversary.", adversary)):
            if module is not None:
                found = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
                module.load_state_dict({name: value for name, value in found.items() if not _helper(module, name)})
    except RuntimeError as error:
        raise RunError(f"{path} does not fit its run.json", "the folder was mixed up: train again") from error


def _helper(module: nn.Module, name: str) -> bool:
    """Whether a tensor only helped to train: a finished model has no use for it."""
    return name.startswith("retention_heads.") and not getattr(module, "retention_heads", None)


def save_tensors(path: Path, tensors: dict[str, Tensor], about: dict[str, Any] | None = None) -> None:
    """Write tensors, and JSON about them, whole or not at all.

    Raises:
        OutputError: The place cannot be written.
    """
    ready = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with atomic_write(path) as temporary:
        save_file(ready, temporary, {"about": json.dumps(about or {})})


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a file and the JSON about them.

    Raises:
        RunError: It is not a whole safetensors file.
    """
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise RunError(f"{path} is broken: {error}", "train again, or copy the run folder anew") from error
