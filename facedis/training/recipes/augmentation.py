"""Data augmentation: flips, affine transforms, brightness, contrast and random erasing.

All geometric changes of a batch are applied in one resampling.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Strength:
    """Half-widths of the uniform distributions of one augmentation policy.

    Attributes:
        rotation: Degrees.
        shift: Fraction of the side.
        scale: Relative to 1.
        brightness: Fraction of the mean of the image.
        contrast: Relative to 1.
        erase: Probability of random erasing.
    """

    rotation: float
    shift: float
    scale: float
    brightness: float
    contrast: float
    erase: float


STRENGTHS = {
    "flip": None,
    "mild": Strength(10, 0.04, 0.08, 0.15, 0.15, 0.0),
    "strong": Strength(15, 0.08, 0.15, 0.3, 0.3, 0.5),
}


def augment(images: Tensor, kind: str, generator: torch.Generator, groups: Tensor | None = None) -> Tensor:
    """Apply random changes that keep the expression.

    Args:
        images: (B, 3, S, S) in [0, 1].
        kind: "none", "flip", "mild" or "strong".
        generator: On the CPU, so that all devices draw the same numbers.
        groups: (B,) int from 0 on; images of one group get the same change. None: each image is changed independently.

    Returns:
        (B, 3, S, S) in [0, 1].
    """
    if kind == "none":
        return images
    strength = STRENGTHS[kind]

    def uniform() -> Tensor:
        if groups is None:
            return torch.rand(len(images), generator=generator)
        return torch.rand(int(groups.max()) + 1, generator=generator)[groups]

    mirror = torch.where(uniform() < 0.5, -1.0, 1.0)
    if strength is None:
        return torch.where((mirror < 0).to(images.device)[:, None, None, None], images.flip(3), images)
    matrix = _affine(strength, mirror, uniform).to(images.device)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    images = F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    gain = _jitter(uniform, 1.0, strength.contrast).to(images.device)[:, None, None, None]
    shift = _jitter(uniform, 0.0, strength.brightness).to(images.device)[:, None, None, None]
    centre = images.mean((1, 2, 3), keepdim=True)
    images = ((images - centre) * gain + centre + shift * centre).clamp(0, 1)
    return _erase(images, strength.erase, uniform) if strength.erase else images


def _jitter(uniform: Callable[[], Tensor], centre: float, half: float) -> Tensor:
    return centre + half * (2 * uniform() - 1)


def _affine(strength: Strength, mirror: Tensor, uniform: Callable[[], Tensor]) -> Tensor:
    n = len(mirror)
    angle = torch.deg2rad(_jitter(uniform, 0, strength.rotation))
    scale = 1 / _jitter(uniform, 1, strength.scale)
    move = 2 * torch.stack([_jitter(uniform, 0, strength.shift) for _ in range(2)], 1)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = torch.stack([cos * mirror, -sin, sin * mirror, cos], 1).view(n, 2, 2)
    return torch.cat([rows, move[:, :, None]], 2)  # (n, 2, 3)


def _erase(images: Tensor, probability: float, uniform: Callable[[], Tensor]) -> Tensor:
    """Fill one rectangle of 2 to 25 % of the area with the mean of the image, with the given probability."""
    height, width = images.shape[2:]
    chosen = uniform() < probability
    area = 0.02 + 0.23 * uniform()
    aspect = torch.exp(_jitter(uniform, 0, 0.7))
    tall, wide = (area * aspect).sqrt().clamp(max=0.9), (area / aspect).sqrt().clamp(max=0.9)
    top, left = (1 - tall) * uniform(), (1 - wide) * uniform()
    y = ((torch.arange(height) + 0.5) / height)[None, :, None]
    x = ((torch.arange(width) + 0.5) / width)[None, None, :]
    inside = (y >= top[:, None, None]) & (y < (top + tall)[:, None, None])
    inside = inside & (x >= left[:, None, None]) & (x < (left + wide)[:, None, None]) & chosen[:, None, None]
    return torch.where(inside[:, None].to(images.device), images.mean((1, 2, 3), keepdim=True), images)
