"""Settings of how a training is executed; none of them changes what is learned, apart from rounding."""

from dataclasses import dataclass
from typing import Literal

from facedis.config.schema import Config, Device, at_least, more_than, setting

_RUNTIME = "Runtime"


@dataclass(frozen=True, kw_only=True)
class RuntimeConfig(Config):
    """Table [runtime]."""

    precision: Literal["32", "bf16", "16"] = setting("32", "Floating-point precision.", group=_RUNTIME, advanced=True)
    device: Device = setting("auto", "Device to train on.")
    devices: int = setting(1, "Number of processes on this node.", group=_RUNTIME, check=at_least(1), advanced=True)
    num_nodes: int = setting(1, "Number of nodes under torchrun.", group=_RUNTIME, check=at_least(1), advanced=True)
    compile: bool = setting(
        False, "Use torch.compile: slower start, faster steps; needs a C++ compiler.", group=_RUNTIME, advanced=True
    )
    checkpoint_minutes: float = setting(
        5.0, "Minutes between checkpoints within an epoch.", group=_RUNTIME, check=more_than(0), advanced=True
    )
    tensorboard: bool = setting(False, "Also write TensorBoard files.", group=_RUNTIME, advanced=True)
