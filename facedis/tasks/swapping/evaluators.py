"""Evaluators of drawn faces: models that had no part in the training of the model they judge."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facedis.errors import ConfigError, RunError
from facedis.events import EventHandler, ignore_events
from facedis.faces.cache.loader import in_batches
from facedis.model.device import pick_device
from facedis.model.network.trunk import Source, build_trunk
from facedis.model.preprocessing import to_images
from facedis.model.storage.checkpoint import MODEL, Run, load_run
from facedis.model.storage.packed import to_half
from facedis.model.storage.weights import VGGFACE2
from facedis.tasks.encoding.encode import forward

#: What run.json says under "labels" where the classes of a run are people and not expressions.
IDENTITY_LABELS = "identity"
_TRAIN = "train one with `facedis train --baseline --seed 1` or benchmarks/train_evaluators.py"


class ExpressionEvaluator:
    """A run that says which expression a picture shows.

    Args:
        run: Its classes are expressions.
        device: As in the settings.
        batch: Pictures at a time.
    """

    def __init__(self, run: Run, device: str = "auto", batch: int = 128) -> None:
        if run.info.get("labels") == IDENTITY_LABELS:
            raise RunError(
                f"{run.display_name} knows people, not expressions", f"give it as --identity-model; {_TRAIN}"
            )
        self.run, self.device, self.batch = run, pick_device(device), batch

    @property
    def classes(self) -> tuple[str, ...]:
        """The expressions it knows."""
        return self.run.classes

    @property
    def about(self) -> dict[str, Any]:
        """What a record says of it."""
        return {"run": self.run.display_name, "trunk": self.run.config.trunk, "seed": self.run.train_config.seed}

    @torch.inference_mode()
    def judge(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (n, K) and pooled trunk features (n, F) of (n, S, S, 3) uint8 pictures."""
        outputs = [forward(self.run, piece, self.device)[1] for piece in in_batches(pictures, self.batch)]
        return (
            torch.cat([output.logits.softmax(1) for output in outputs]).float().cpu().numpy(),
            torch.cat([output.features for output in outputs]).float().cpu().numpy(),
        )


class IdentityEvaluator:
    """A run that tells people apart: what it says of a face is its code.

    Args:
        run: Its classes are people.
        device: As in the settings.
        batch: Pictures at a time.
    """

    def __init__(self, run: Run, device: str = "auto", batch: int = 128) -> None:
        if run.info.get("labels") != IDENTITY_LABELS:
            raise RunError(
                f"{run.display_name} was trained on expressions: it tells nobody apart",
                f"give a judge of people made by benchmarks/train_evaluators.py, or {VGGFACE2.name}",
            )
        self.run, self.device, self.batch = run, pick_device(device), batch

    @property
    def about(self) -> dict[str, Any]:
        """What a record says of it."""
        return {"run": self.run.display_name, "trunk": self.run.config.trunk, "seed": self.run.train_config.seed}

    @torch.inference_mode()
    def embeddings(self, pictures: np.ndarray) -> np.ndarray:
        """(n, D) float32 of (n, S, S, 3) uint8 pictures; people are compared by cosine."""
        outputs = [forward(self.run, piece, self.device)[1] for piece in in_batches(pictures, self.batch)]
        return torch.cat([output.codes.expression for output in outputs]).float().cpu().numpy()


class FaceNetEvaluator:
    """The pretrained face recognition network itself, VGGFace2's Inception-ResNet-V1: its pooled features."""

    SIZE = 160

    def __init__(self, device: str = "auto", batch: int = 64, handler: EventHandler = ignore_events) -> None:
        self.trunk = build_trunk("inception_resnet_v1", Source(VGGFACE2.name, handler=handler)).eval()
        self.device, self.batch = pick_device(device), batch

    @property
    def about(self) -> dict[str, Any]:
        """What a record says of it."""
        return {"run": None, "trunk": "inception_resnet_v1", "weights": VGGFACE2.name}

    @torch.inference_mode()
    def embeddings(self, pictures: np.ndarray) -> np.ndarray:
        """(n, 1792) float32 of (n, S, S, 3) uint8 pictures; people are compared by cosine."""
        trunk, found = self.trunk.to(self.device), []
        for piece in in_batches(pictures, self.batch):
            images = to_images(torch.from_numpy(piece).to(self.device), self.SIZE)
            found.append(trunk(images).mean((2, 3)).float().cpu().numpy())
        return np.concatenate(found)


def load_expression_evaluator(judge: Path, run: Run, device: str = "auto") -> ExpressionEvaluator:
    """The judge of expressions in the run folder `judge`, for what `run` draws.

    Raises:
        RunError: It is no run, knows people, or is not independent of `run`.
    """
    return ExpressionEvaluator(_independent(load_run(judge), run), device)


def load_identity_evaluator(
    judge: str, run: Run, device: str = "auto", handler: EventHandler = ignore_events
) -> IdentityEvaluator | FaceNetEvaluator:
    """The judge of people that `judge` names, a run folder or "vggface2", for what `run` draws.

    Raises:
        RunError: It is no run, knows expressions, or is not independent of `run`.
        ConfigError: Neither such a folder nor such weights.
        WeightsError: The weights cannot be had.
    """
    if judge == VGGFACE2.name and not Path(judge).is_dir():
        if run.info["pretrained"] and run.config.trunk == "inception_resnet_v1":
            raise RunError(
                f"the trunk of {run.display_name} began with the weights {judge}: they cannot judge it",
                "train a judge of people with benchmarks/train_evaluators.py",
            )
        return FaceNetEvaluator(device, handler=handler)
    if not Path(judge).is_dir():
        raise ConfigError(f"--identity-model is '{judge}'", f"name a run folder, or {VGGFACE2.name}")
    return IdentityEvaluator(_independent(load_run(judge), run), device)


def dependence_reason(judge: Run, run: Run) -> str:
    """Why `judge` is not independent of `run`, as the end of a sentence; "" where it is.

    It is not where it is the same run, has a tensor of its own in common with it, or where one had a
    part in the training of the other, as the giver of its trunk or of a loss, or a third run in both.
    """
    if judge.path.resolve() == run.path.resolve():
        return "is the run itself"
    if _fingerprints(judge) & _fingerprints(run):
        return "shares weights with it"
    if judge.fingerprint in _ancestors(run) or run.fingerprint in _ancestors(judge):
        return "is the run it was made of, or gave it a trunk"
    ours, theirs = _helpers(judge), _helpers(run)
    if judge.path.resolve() in theirs or run.path.resolve() in ours or ours & theirs:
        return "had a part in its training or got a trunk from it, or one run had a part in both"
    return ""


def _independent(judge: Run, run: Run) -> Run:
    why = dependence_reason(judge, run)
    if why:
        raise RunError(f"{judge.display_name} cannot judge {run.display_name}: it {why}", _TRAIN)
    return judge


def _fingerprints(run: Run) -> set[bytes]:
    """Of every matrix and kernel; vectors are left out: fresh biases and scales are the same everywhere.

    In half precision, in which a packed model is still the run that it was made of.
    """
    tensors = (to_half(value) for value in run.model.state_dict().values() if value.dim() > 1 and value.numel() > 1)
    return {hashlib.sha256(value.cpu().contiguous().numpy().tobytes()).digest() for value in tensors}


def _ancestors(run: Run) -> set[str]:
    """Fingerprints of the run that a packed model was made of, and of those that gave that one a trunk."""
    found, stage = set(), run.info if run.packed else None
    while stage:
        found.add(stage.get("tensors"))
        stage = stage.get("began_with")
    return found


def _helpers(run: Run) -> set[Path]:
    """The run folders that a run's settings name: where its trunk came from, or a network that judged its losses."""
    values = [value for table in ("model", "train") for value in run.info[table].values()]
    words = [word for value in values for word in (value if isinstance(value, list) else [value])]
    return {Path(word).resolve() for word in words if isinstance(word, str) and word and (Path(word) / MODEL).is_file()}
