"""Selection of the compute device."""

import torch

from facedis.errors import ConfigError


def pick_device(name: str) -> torch.device:
    """The device of that name; "auto" is CUDA where available, else MPS, else the CPU.

    Raises:
        ConfigError: The device is not available, or the name is unknown.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, present in available.items() if present)
    if name not in available:
        raise ConfigError(f"--device is '{name}'", "choose one of: auto, cpu, cuda, mps")
    if not available[name]:
        raise ConfigError(f"--device {name} is not available on this machine", "choose --device cpu")
    return torch.device(name)
