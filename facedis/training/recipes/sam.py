"""Sharpness-aware minimisation (SAM): the gradient is taken at the worst point of a neighbourhood.

Source: 2010.01412, algorithm 1.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def sam_perturbation(module: nn.Module, radius: float) -> Iterator[bool]:
    """Move the weights by `radius` along their gradients inside the block, and restore them afterwards.

    The running statistics of BatchNorm are not updated inside the block, as they belong to the restored weights.

    Yields:
        Whether the weights were moved. They are not if a gradient is not finite, which is normal in 16-bit
        training; the caller then skips the second gradient.
    """
    moved = [(weight, weight.grad) for weight in module.parameters() if weight.grad is not None]
    norm = float(torch.stack([grad.norm() for _, grad in moved]).norm().clamp(min=1e-12))
    if not math.isfinite(norm):
        yield False
        return
    with torch.no_grad():
        before = [weight.clone() for weight, _ in moved]
        for weight, grad in moved:
            weight.add_(grad, alpha=radius / norm)
    # A momentum of 0 is no alternative: 0 times infinity is NaN, which would be stored.
    norms = [layer for layer in module.modules() if isinstance(layer, _BatchNorm) and layer.track_running_stats]
    _track(norms, False)
    try:
        yield True
    finally:
        _track(norms, True)
        with torch.no_grad():
            for (weight, _), old in zip(moved, before, strict=True):
                weight.copy_(old)


def _track(norms: list[_BatchNorm], track: bool) -> None:
    for layer in norms:
        layer.track_running_stats = track
