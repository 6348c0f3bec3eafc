"""Sharpness-aware steps: down the gradient of the worst point nearby, which ends in flatter places.

Source: 2010.01412 (SAM), algorithm 1.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def sam_perturbation(module: nn.Module, radius: float) -> Iterator[bool]:
    """Inside, the weights lie `radius` up the gradients that they have; afterwards where they were.

    BatchNorm's running statistics stand still meanwhile: they belong to the weights that are kept.

    Yields:
        Whether there is such a point: where a gradient is no number, as 16 bits let it be now and then, the
        weights stay, and there is nothing to do inside.
    """
    moved = [parameter for parameter in module.parameters() if parameter.grad is not None]
    norm = float(torch.stack([parameter.grad.norm() for parameter in moved]).norm().clamp(min=1e-12))
    if not math.isfinite(norm):
        yield False
        return
    with torch.no_grad():
        before = [parameter.clone() for parameter in moved]
        for parameter in moved:
            parameter.add_(parameter.grad, alpha=radius / norm)
    # Not by a momentum of 0: zero times what overflows is no number either, and it would stay.
    normed = [layer for layer in module.modules() if _follows(layer)]
    for layer in normed:
        layer.track_running_stats = False
    try:
        yield True
    finally:
        for layer in normed:
            layer.track_running_stats = True
        with torch.no_grad():
            for parameter, old in zip(moved, before, strict=True):
                parameter.copy_(old)


def _follows(layer: nn.Module) -> bool:
    """Whether it is a BatchNorm that keeps running statistics."""
    return isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.track_running_stats
