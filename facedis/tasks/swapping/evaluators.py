"""Independent models that evaluate swaps: expression classifiers and face recognition models."""

import hashlib
from collections.abc import Iterator
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

#: Value of "labels" in run.json for runs whose classes are people.
IDENTITY_LABELS = "identity"
_TRAIN_HINT = "train one with `facedis train --baseline --seed 1` or benchmarks/train_evaluators.py"


class ExpressionEvaluator:
    """Expression classifier of a run.

    Args:
        run: A run whose classes are expressions.
        device: auto, cpu, cuda or mps.
        batch_size: Images per forward pass.

    Raises:
        RunError: The run classifies identities.
    """

    def __init__(self, run: Run, device: str = "auto", batch_size: int = 128) -> None:
        if run.info.get("labels") == IDENTITY_LABELS:
            raise RunError(
                f"{run.display_name} classifies identities, not expressions",
                f"give it as --identity-model; {_TRAIN_HINT}",
            )
        self.run, self.device, self.batch_size = run, pick_device(device), batch_size

    @property
    def classes(self) -> tuple[str, ...]:
        """Expressions that the model predicts."""
        return self.run.classes

    @property
    def metadata(self) -> dict[str, Any]:
        """Description of the model for a record."""
        return _metadata(self.run)

    @torch.inference_mode()
    def predict(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (n, K) and pooled trunk features (n, F) of (n, S, S, 3) uint8 images."""
        outputs = [forward(self.run, batch, self.device)[1] for batch in in_batches(images, self.batch_size)]
        return (
            torch.cat([output.logits.softmax(1) for output in outputs]).float().cpu().numpy(),
            torch.cat([output.features for output in outputs]).float().cpu().numpy(),
        )


class IdentityEvaluator:
    """Identity classifier of a run, used as a face embedding.

    Args:
        run: A run whose classes are people; its expression code is the embedding.
        device: auto, cpu, cuda or mps.
        batch_size: Images per forward pass.

    Raises:
        RunError: The run classifies expressions.
    """

    def __init__(self, run: Run, device: str = "auto", batch_size: int = 128) -> None:
        if run.info.get("labels") != IDENTITY_LABELS:
            raise RunError(
                f"{run.display_name} classifies expressions, not identities",
                f"give an identity model made by benchmarks/train_evaluators.py, or {VGGFACE2.name}",
            )
        self.run, self.device, self.batch_size = run, pick_device(device), batch_size

    @property
    def metadata(self) -> dict[str, Any]:
        """Description of the model for a record."""
        return _metadata(self.run)

    @torch.inference_mode()
    def embed(self, images: np.ndarray) -> np.ndarray:
        """(n, D) float32 embeddings of (n, S, S, 3) uint8 images, compared by cosine."""
        outputs = [forward(self.run, batch, self.device)[1] for batch in in_batches(images, self.batch_size)]
        return torch.cat([output.codes.expression for output in outputs]).float().cpu().numpy()


class FaceNetEvaluator:
    """Inception-ResNet-V1 pretrained on VGGFace2; its pooled features are the face embedding."""

    IMAGE_SIZE = 160

    def __init__(self, device: str = "auto", batch_size: int = 64, handler: EventHandler = ignore_events) -> None:
        self.trunk = build_trunk("inception_resnet_v1", Source(VGGFACE2.name, handler=handler)).eval()
        self.device, self.batch_size = pick_device(device), batch_size

    @property
    def metadata(self) -> dict[str, Any]:
        """Description of the model for a record."""
        return {"run": None, "trunk": "inception_resnet_v1", "weights": VGGFACE2.name}

    @torch.inference_mode()
    def embed(self, images: np.ndarray) -> np.ndarray:
        """(n, 1792) float32 embeddings of (n, S, S, 3) uint8 images, compared by cosine."""
        trunk, embeddings = self.trunk.to(self.device), []
        for batch in in_batches(images, self.batch_size):
            inputs = to_images(torch.from_numpy(batch).to(self.device), self.IMAGE_SIZE)
            embeddings.append(trunk(inputs).mean((2, 3)).float().cpu().numpy())
        return np.concatenate(embeddings)


def load_expression_evaluator(path: Path, run: Run, device: str = "auto") -> ExpressionEvaluator:
    """Load the expression classifier in the run folder `path` for evaluating swaps of `run`.

    Raises:
        RunError: The folder is no run, classifies identities, or is not independent of `run`.
    """
    return ExpressionEvaluator(_load_independent(path, run), device)


def load_identity_evaluator(
    name: str, run: Run, device: str = "auto", handler: EventHandler = ignore_events
) -> IdentityEvaluator | FaceNetEvaluator:
    """Load the identity model `name`, a run folder or "vggface2", for evaluating swaps of `run`.

    Raises:
        RunError: The model is no run, classifies expressions, or is not independent of `run`.
        ConfigError: `name` is neither a folder nor the name of published weights.
        WeightsError: The weights cannot be downloaded.
    """
    if name == VGGFACE2.name and not Path(name).is_dir():
        if run.info["pretrained"] and run.config.trunk == "inception_resnet_v1":
            raise RunError(
                f"{name} is not independent of {run.display_name}: its trunk was initialised with these weights",
                "train an identity model with benchmarks/train_evaluators.py",
            )
        return FaceNetEvaluator(device, handler=handler)
    if not Path(name).is_dir():
        raise ConfigError(f"--identity-model is '{name}'", f"name a run folder, or {VGGFACE2.name}")
    return IdentityEvaluator(_load_independent(Path(name), run), device)


def dependence_reason(evaluator: Run, run: Run) -> str:
    """Reason why `evaluator` is not independent of `run`; "" if it is independent.

    Two runs depend on each other if they are the same run, have a weight tensor in common, if one took part in the
    training of the other (through its trunk or a loss), or if a third run took part in both.
    """
    if evaluator.path.resolve() == run.path.resolve():
        return "they are the same run"
    if _tensor_hashes(evaluator) & _tensor_hashes(run):
        return "they share weights"
    if evaluator.fingerprint in _ancestors(run) or run.fingerprint in _ancestors(evaluator):
        return "one was packed from the other, or initialised its trunk from it"
    own, others = _referenced_runs(evaluator), _referenced_runs(run)
    if evaluator.path.resolve() in others or run.path.resolve() in own or own & others:
        return "one took part in the training of the other, or a third run in both"
    return ""


def _load_independent(path: Path, run: Run) -> Run:
    evaluator = load_run(path)
    reason = dependence_reason(evaluator, run)
    if reason:
        raise RunError(f"{evaluator.display_name} is not independent of {run.display_name}: {reason}", _TRAIN_HINT)
    return evaluator


def _metadata(run: Run) -> dict[str, Any]:
    return {"run": run.display_name, "trunk": run.config.trunk, "seed": run.train_config.seed}


def _tensor_hashes(run: Run) -> set[bytes]:
    """Hashes of all matrices and kernels in half precision, which is how packed models are stored.

    Vectors are left out because freshly initialised biases and scales are equal in all models.
    """
    tensors = (to_half(value) for value in run.model.state_dict().values() if value.dim() > 1 and value.numel() > 1)
    return {hashlib.sha256(value.cpu().contiguous().numpy().tobytes()).digest() for value in tensors}


def _ancestors(run: Run) -> set[str]:
    """Fingerprints of the run that a packed model was made from, and of all runs that initialised its trunk."""
    fingerprints, stage = set(), run.info if run.packed else None
    while stage:
        fingerprints.add(str(stage.get("tensors")))
        stage = stage.get("began_with")
    return fingerprints


def _referenced_runs(run: Run) -> set[Path]:
    """Run folders named in a run's settings, such as the source of its trunk or a network used in its losses."""
    words = [*_strings(run.info["model"]), *_strings(run.info["train"])]
    return {Path(word).resolve() for word in words if word and (Path(word) / MODEL).is_file()}


def _strings(settings: object) -> Iterator[str]:
    """All strings among nested settings."""
    if isinstance(settings, str):
        yield settings
    elif isinstance(settings, (list, tuple, dict)):
        for value in settings.values() if isinstance(settings, dict) else settings:
            yield from _strings(value)
