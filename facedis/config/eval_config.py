"""Settings of the evaluation of a trained model."""

from dataclasses import dataclass
from typing import Literal

from facedis.config.schema import Config, Device, at_least, setting

Split = Literal["train", "val", "test", "all"]


@dataclass(frozen=True, kw_only=True)
class EvalConfig(Config):
    """Table [eval]."""

    split: Split = setting("val", "Split to evaluate on.")
    batch_size: int = setting(128, "Batch size of the encoder.", check=at_least(1))
    probes: Literal["all", "linear"] = setting("all", "Probes to train: all kinds, or linear ones in half the time.")
    probe_max_samples: int = setting(10_000, "Maximum number of faces to train a probe on.", check=at_least(50))
    bootstrap_samples: int = setting(1_000, "Bootstrap resamples of each interval.", check=at_least(100))
    tta_flip: bool = setting(False, "Average codes and probabilities over each face and its mirror image.")
    device: Device = setting("auto", "Device to encode on.")
    seed: int = setting(0, "Random seed of subsamples, pairs and resamples.")
