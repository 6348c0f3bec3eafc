"""Set-up of a run: the job, the networks, and warnings about its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from facedis.config import ModelConfig, TrainConfig
from facedis.events import EventHandler, ignore_events, note, warn
from facedis.model.losses.retention_losses import LOWRES_SIDE, RetentionHead
from facedis.model.network.adversaries import Adversaries
from facedis.model.network.disentangler import Disentangler, build
from facedis.model.storage.checkpoint import CHECKPOINT, read_info
from facedis.training.data import TrainingData

#: Decoders from which no gradient reaches a code: beta1 has no effect on the codes.
NO_CODE_GRADIENT = ("none", "detached", "post-hoc")


@dataclass(frozen=True)
class Job:
    """One run to train.

    Attributes:
        faces: Path of the faces cache.
        run: The run folder.
        model: Architecture.
        config: Training settings.
        handler: Receives progress, notes and warnings.
        resume: Whether to continue the run in the folder.
        offline: Do not download weights.
    """

    faces: Path
    run: Path
    model: ModelConfig
    config: TrainConfig
    handler: EventHandler = ignore_events
    resume: bool = False
    offline: bool = False


def resolve_decoder(model: ModelConfig, config: TrainConfig) -> ModelConfig:
    """`model` with the decoder "auto" resolved: joint if beta1 > 0, else none."""
    if model.decoder != "auto":
        return model
    return replace(model, decoder="joint" if config.beta1 > 0 and not model.baseline else "none")


def build_networks(job: Job, sizes: Mapping[str, int]) -> tuple[Disentangler, Adversaries | None]:
    """The model and its adversaries with their initial weights.

    Args:
        job: Settings, and whether a checkpoint will replace the weights.
        sizes: Number of classes of each factor, including the expression.

    Raises:
        ConfigError, WeightsError: As `facedis.model.network.disentangler.build`.
    """
    if not job.resume or not (job.run / CHECKPOINT).exists():
        model, adversary = build(job.model, sizes, job.offline, job.handler)
    else:  # all tensors are in the checkpoint; the file of pretrained weights may no longer exist
        model, adversary = build(replace(job.model, weights="none"), sizes)
        model.trunk.pretrained = read_info(job.run)["pretrained"]
    retention = job.config.retention
    if adversary is not None:
        targets = {
            "features": (retention.feature_retention_weight, model.trunk.map_shape(job.model.image_size)[0]),
            "lowres": (retention.lowres_retention_weight, LOWRES_SIDE**2),
        }
        for name, (weight, size) in targets.items():
            if weight:
                model.retention_heads[name] = RetentionHead(job.model.rest_dim, size, sizes["expression"])
    model.rest_grad_scale = job.config.adversary.rest_grad_scale
    model.expression_noise_std = retention.expression_noise_std
    return model, adversary


def constrains_rest(model: ModelConfig, config: TrainConfig) -> bool:
    """Whether any loss prevents a constant rest code, which minimises the confusion loss."""
    reconstructs = model.decoder == "rest-only" or (model.decoder == "joint" and config.beta1 > 0)
    classifies = config.adversary.factor_weight > 0 and "rest" in model.factor_branches.values()
    retention = config.retention
    # Without `covariance_weight`: a constant code has no correlations.
    weights = (retention.feature_retention_weight, retention.lowres_retention_weight, retention.variance_weight)
    return reconstructs or classifies or max(weights) > 0


def warn_config(job: Job, model: Disentangler, data: TrainingData) -> None:
    """Warn about settings that have no effect or an unexpected one."""
    if job.config.finetune == "none" and not job.model.baseline:
        warn(job.handler, "the trunk is frozen: the adversary cannot change the accuracy of C_exp")
    if job.model.decoder == "joint" and job.config.beta1 == 0:
        warn(job.handler, "beta1 is 0: a joint decoder is not trained; add --beta1 0.001, or --decoder detached")
    if job.model.image_size > data.cache.info.size:
        note(job.handler, f"faces of {data.cache.info.size} px are enlarged to {job.model.image_size} px")
    if not len(data.val_rows):
        warn(job.handler, "there is no val split: no validation, and the last epoch is kept")
