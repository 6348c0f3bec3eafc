"""Sharpness-aware steps: down the gradient of the worst point nearby, which ends in flatter places.

Source: 2010.01412 (SAM), algorithm 1.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def nearby_worst(module: nn.Module, radius: float) -> Iterator[None]:
    """Inside, the weights lie `radius` up the gradients that they have; afterwards where they were.

    BatchNorm's running statistics stand still meanwhile: they belong to the weights that are kept.
    """
    with torch.no_grad():
        moved = [parameter for parameter in module.parameters() if parameter.grad is not None]
        norm = torch.stack([parameter.grad.norm() for parameter in moved]).norm().clamp(min=1e-12)
        before = [parameter.clone() for parameter in moved]
        for parameter in moved:
            parameter.add_(parameter.grad, alpha=float(radius / norm))
    normed = [layer for layer in module.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
    momenta = [layer.momentum for layer in normed]
    for layer in normed:
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, momentum in zip(normed, momenta, strict=True):
            layer.momentum = momentum
        with torch.no_grad():
            for parameter, old in zip(moved, before, strict=True):
                parameter.copy_(old)
