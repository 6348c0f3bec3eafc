"""Settings of the evaluation of swapped faces."""

from dataclasses import dataclass
from typing import Literal

from facedis.config.eval_config import Split
from facedis.config.schema import Config, Device, at_least, between, setting


@dataclass(frozen=True, kw_only=True)
class SwapEvalConfig(Config):
    """Table [swap-eval]."""

    split: Split = setting("test", "Split to take faces from.")
    pairs: int = setting(
        1_000, "Maximum number of swaps of each kind: across people, within one person.", check=between(1, 5_000)
    )
    max_faces: int = setting(
        1_500, "Maximum number of faces to swap between; a random subset of more.", check=at_least(2)
    )
    same_capture: Literal["auto", "yes", "no"] = setting(
        "auto", "Whether the images of one person share pose and light, so that the true swap is known."
    )
    num_examples: int = setting(24, "Number of random swaps on the contact sheet.", check=between(1, 300))
    batch_size: int = setting(64, "Batch size of encoder and decoder.", check=at_least(1))
    bootstrap_samples: int = setting(1_000, "Bootstrap resamples of each interval.", check=at_least(100))
    device: Device = setting("auto", "Device to compute on.")
    seed: int = setting(0, "Random seed of faces, pairs and resamples.")
