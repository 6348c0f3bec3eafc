"""Losses on images: SSIM, perceptual distance, weights where two images differ, and the hinge GAN loss."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

#: Side of the windows of `ssim` and `change_weights`, in pixels.
WINDOW = 7


def ssim(images: Tensor, targets: Tensor) -> Tensor:
    """Structural similarity of each window of two batches of images; at most 1.

    Unlike the absolute difference, it penalises blur where the position of an edge is uncertain.

    Args:
        images: (B, 3, S, S) in [0, 1].
        targets: (B, 3, S, S) in [0, 1].

    Returns:
        (B, 3, S - 6, S - 6), one value per window of 7 x 7 pixels.

    Source: Wang, Bovik, Sheikh & Simoncelli 2004, eq. 13; as a loss: Zhao, Gallo, Frosio & Kautz 2017.
    Deviation: the window is uniform and not Gaussian.
    """
    x, y, c1, c2 = images.float(), targets.float(), 0.01**2, 0.03**2
    means = F.avg_pool2d(torch.cat([x, y, x * x, y * y, x * y]), WINDOW, 1).chunk(5)
    mx, my = means[:2]
    vx, vy, covariance = means[2] - mx * mx, means[3] - my * my, means[4] - mx * my
    return (2 * mx * my + c1) * (2 * covariance + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))


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
