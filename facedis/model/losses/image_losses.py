"""Losses on images: perceptual distance, weights where two images differ, and the hinge GAN loss."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

#: Side of the windows of `change_weights`, in pixels.
WINDOW = 7


def perceptual_loss(maps: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of feature maps, each in units of the target's standard deviation.

    Args:
        maps: Feature maps (B, C, H, W) of the generated images.
        targets: Feature maps of the real images, of the same shapes.

    Source: Johnson et al., 1603.08155.
    """
    terms = [(a - b).abs().mean() / b.std().clamp_min(1e-6) for a, b in zip(maps, targets, strict=True)]
    return sum(terms, targets[0].new_zeros(())) / len(terms)


def change_weights(images: Tensor, targets: Tensor, change: float) -> Tensor:
    """Weights of the pixels: larger where the target differs from the input image.

    The mouth covers few pixels. Where two faces of one scene differ, they differ in expression.

    Args:
        images: (B, 3, S, S) input images.
        targets: (B, 3, S, S) target images; equal to `images` for plain reconstruction.
        change: Additional weight of a pixel that changes from black to white.

    Returns:
        (B, 1, S, S), at least 1.
    """
    difference = (images - targets).abs().mean(1, keepdim=True)
    return 1 + change * F.avg_pool2d(difference, WINDOW, 1, WINDOW // 2)


def hinge_loss(real: Tensor, generated: Tensor) -> Tensor:
    """Hinge loss of a discriminator.

    Args:
        real: Outputs for real images.
        generated: Outputs for generated images.

    Source: 1705.02894.
    """
    return F.relu(1 - real).mean() + F.relu(1 + generated).mean()
