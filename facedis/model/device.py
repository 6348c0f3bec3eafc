"""Which device to compute on."""

import torch

from facedis.errors import ConfigError


def pick_device(name: str) -> torch.device:
    """The device that `name` means; auto is CUDA, else Apple's GPU, else the CPU.

    Raises:
        ConfigError: It is not there, or no name of a device.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, present in there.items() if present)
    if name not in there:
        raise ConfigError(f"--device is '{name}'", "choose one of: auto, cpu, cuda, mps")
    if not there[name]:
        raise ConfigError(f"--device {name}: there is none on this machine", "choose --device cpu")
    return torch.device(name)
