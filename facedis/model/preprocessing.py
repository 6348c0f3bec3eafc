"""Conversion of cropped faces to network input: range, colour and size."""

import torch
import torch.nn.functional as F
from torch import Tensor

#: Luma weights of red, green and blue: ITU-R BT.601, as in Pillow's mode "L".
LUMA = (0.299, 0.587, 0.114)


def to_images(faces: Tensor, size: int, grey: bool = False) -> Tensor:
    """Convert faces of a cache to network input.

    Args:
        faces: (B, S, S, 3) uint8.
        size: Side of the result in pixels. Downscaling is antialiased.
        grey: Remove the colour, for models that were trained on grey images only.

    Returns:
        (B, 3, size, size) float32 in [0, 1].
    """
    images = faces.permute(0, 3, 1, 2).to(torch.float32).div_(255)
    return fit_images(images, size, grey)


def fit_images(images: Tensor, size: int, grey: bool = False) -> Tensor:
    """Bring images to the size and the colours that a model expects.

    Args:
        images: (B, 3, S, S) in [0, 1].
        size: Side of the result in pixels. Downscaling is antialiased.
        grey: Remove the colour.

    Returns:
        (B, 3, size, size) in [0, 1].
    """
    if grey:
        images = luma(images).expand(-1, 3, -1, -1)
    if images.shape[-1] == size:
        return images.contiguous()
    return F.interpolate(images, (size, size), mode="bilinear", antialias=images.shape[-1] > size).clamp_(0, 1)


def luma(images: Tensor) -> Tensor:
    """(B, 1, S, S) brightness of (B, 3, S, S) `images`."""
    weights = torch.tensor(LUMA, device=images.device)
    return (images * weights[:, None, None]).sum(1, keepdim=True)
