"""What is to be trained: where from, where to, how, and the networks for it."""

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


@dataclass(frozen=True)
class Job:
    """One run to train: where from, where to, and how."""

    faces: Path
    run: Path
    model: ModelConfig
    config: TrainConfig
    handler: EventHandler = ignore_events
    resume: bool = False
    offline: bool = False


#: Decoders from which no gradient reaches a code: beside them beta1 has no say.
NO_CODE_GRADIENT = ("none", "detached", "later")


def resolve_decoder(model: ModelConfig, config: TrainConfig) -> ModelConfig:
    """`model` with its decoder decided: "auto" means joint where beta1 asks for one, else none."""
    if model.decoder != "auto":
        return model
    return replace(model, decoder="joint" if config.beta1 > 0 and not model.baseline else "none")


def build_networks(job: Job, sizes: Mapping[str, int]) -> tuple[Disentangler, Adversaries | None]:
    """The model and its adversaries, with the weights that a new run begins with.

    Args:
        job: Settings, and whether it goes on from a checkpoint, which brings all tensors.
        sizes: Number of classes of each factor.

    Raises:
        ConfigError, WeightsError: As `facedis.model.network.disentangler.build`.
    """
    if not job.resume or not (job.run / CHECKPOINT).exists():
        model, adversary = build(job.model, sizes, job.offline, job.handler)
    else:  # all tensors come from the checkpoint: the pretrained file may be gone by now
        model, adversary = build(replace(job.model, weights="none"), sizes)
        model.trunk.pretrained = read_info(job.run)["pretrained"]
    if adversary is not None:
        kept = {"embedding": model.trunk.map_shape(job.model.size)[0], "picture": LOWRES_SIDE**2}
        for name, size in kept.items():
            if getattr(job.config, f"keep_{name}"):
                model.retention_heads[name] = RetentionHead(job.model.rest_size, size, sizes["expression"])
    model.rest_gradient, model.code_noise = job.config.rest_gradient, job.config.code_noise
    return model, adversary


def constrains_rest(model: ModelConfig, config: TrainConfig) -> bool:
    """Whether any loss would miss a rest code that is constant, which is what deceives an adversary best."""
    drawn = model.decoder == "rest" or (model.decoder == "joint" and config.beta1 > 0)
    owned = config.own_weight > 0 and "rest" in model.owners.values()
    # Not `keep_apart`: the numbers of a constant code have no correlations.
    return drawn or owned or max(config.keep_embedding, config.keep_picture, config.keep_variance) > 0


def warn_config(job: Job, model: Disentangler, data: TrainingData) -> None:
    """Say what a user would otherwise find out too late."""
    if job.config.train_trunk == "none" and not job.model.baseline:
        warn(job.handler, "the trunk is frozen: the adversary cannot change the accuracy of C_exp")
    if job.model.decoder == "joint" and job.config.beta1 == 0:
        warn(job.handler, "beta1 is 0: a joint decoder learns nothing; add --beta1 0.001, or --decoder detached")
    if job.model.size > data.cache.info.size:
        note(job.handler, f"faces of {data.cache.info.size} px are enlarged to {job.model.size} px")
    if not len(data.val_rows):
        warn(job.handler, "there is no val split: no validation, and the last epoch is kept")
