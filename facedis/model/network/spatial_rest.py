"""The spatial rest code: a map of a few channels and 8 x 8 or 16 x 16 positions, input of a post-hoc decoder.

The rest vector has too few dimensions for hair, pose, lighting and background. The map encodes them, and must not
encode the expression:

- With the context "periphery", the input is the image in which the middle of the face is replaced by coarse tiles.
  The tiles show the head pose, but not the mouth. The outline of the face may still contain some information on
  the expression, such as an open jaw; `facedis eval` measures this leakage.
- With the context "full", the input is the whole image. The faces must be grouped in scenes, because the map is
  trained to be equal for all expressions of a scene.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facedis.config import ModelConfig

#: Name of the spatial rest code among the codes.
MAP = "map"
#: Rows and columns of the middle of the face, in sixteenths of the image.
MIDDLE = (3, 15), (3, 13)
#: Tiles per row and column of the coarse image of the middle.
COARSE = 4
_WIDTH = 64


class SpatialRestBranch(nn.Module):
    """Maps the image and the feature map of the shared stages to a flat (B, M * P * P) code.

    Args:
        channels: C of the feature map.
        config: `spatial_rest_channels` is M and `spatial_rest_size` is P. With `spatial_rest_context`
            "periphery", the input is the masked image; the feature map is not used, as its receptive fields
            include the middle of the face. With "full", the input is the feature map and the downscaled image,
            because a trunk trained on expressions discards the colours.
    """

    visible: Tensor

    def __init__(self, channels: int, config: ModelConfig) -> None:
        super().__init__()
        size, slope, out = config.image_size, config.leaky_slope, config.spatial_rest_channels
        self.side, self.periphery = config.spatial_rest_size, config.spatial_rest_context == "periphery"
        if self.periphery:
            patch = size // self.side
            first = nn.Conv2d(4, _WIDTH, patch, patch)  # one patch per output position, with the visibility mask
        else:
            first = nn.Conv2d(channels + 3, _WIDTH, 3, padding=1)
        self.layers = nn.Sequential(
            first, nn.LeakyReLU(slope), nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1), nn.LeakyReLU(slope)
        )
        self.projection = nn.Conv2d(_WIDTH, out, 1)
        self.norm = nn.BatchNorm2d(out, affine=False)
        visible = torch.ones(1, 1, size, size)
        rows, columns = (slice(*(edge * size // 16 for edge in edges)) for edges in MIDDLE)
        visible[..., rows, columns] = 0
        self.register_buffer("visible", visible, persistent=False)

    def forward(self, features: Tensor, images: Tensor) -> Tensor:
        """(B, M * P * P) code of (B, C, H, W) features and (B, 3, S, S) images in [0, 1]."""
        inputs = self._masked(images) if self.periphery else self._full(features, images)
        return self.norm(self.projection(F.adaptive_avg_pool2d(self.layers(inputs), self.side))).flatten(1)

    def _masked(self, images: Tensor) -> Tensor:
        coarse = F.interpolate(F.adaptive_avg_pool2d(images, COARSE), images.shape[-2:], mode="bilinear")
        masked = torch.where(self.visible > 0, images, coarse)
        return torch.cat([4 * (masked - 0.5), self.visible.expand(len(images), -1, -1, -1)], dim=1)

    def _full(self, features: Tensor, images: Tensor) -> Tensor:
        small = F.adaptive_avg_pool2d(images, (features.shape[-2], features.shape[-1]))
        features = torch.cat([features, (4 * (small - 0.5)).to(features.dtype)], dim=1)
        if features.shape[-1] < self.side:
            features = F.interpolate(features, (self.side, self.side), mode="bilinear")
        return features
