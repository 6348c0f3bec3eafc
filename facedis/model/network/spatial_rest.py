"""A rest code with places: a few channels of 8 x 8 or 16 x 16 that say where what is, beside the rest vector.

A vector of some dozen numbers draws a person's mean face. Hair, pose, light and background have places,
and the decoder is told them by this map. What it must not tell is what the face shows. It cannot where it does not
see it: by itself the map is made of the picture around the middle of the face. Of the middle, with brows, eyes, nose
and mouth, it sees no more than light and dark in squares of a quarter of the side: which way the face looks,
and not whether it smiles, so that this must be heard from the expression code. What an outline still tells (a jaw
that dropped) is measured by `facedis eval`, as of any code. Only where faces come in scenes may the map see the
whole picture: there it is asked to be the same for every expression of a scene.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facedis.config import ModelConfig

#: Its name among the codes.
MAP = "map"
#: The middle: rows and columns, in sixteenths of the picture's side.
HIDDEN = (3, 15), (3, 13)
#: Squares in a row and a column of what is seen of it.
COARSE = 4
_WIDTH = 64


class SpatialRestBranch(nn.Module):
    """From the picture, and the feature map where the rest branch leaves the trunk, to a flat (B, M * P * P) code.

    Args:
        channels: C of that feature map.
        config: `rest_map` is M, `spatial_rest_size` is P; of `spatial_rest_context`, `around` is the picture around the middle
            and of that what `COARSE` leaves, without the feature map, whose border has the middle in it too;
            `whole` is the feature map with the whole picture beside it, as small, for a trunk that looks for
            expressions forgets colours.
    """

    seen: Tensor

    def __init__(self, channels: int, config: ModelConfig) -> None:
        super().__init__()
        self.side, self.around, patch = config.spatial_rest_size, config.spatial_rest_context == "periphery", 0
        if self.around:
            patch = config.image_size // self.side
            first = nn.Conv2d(4, _WIDTH, patch, patch)  # each place its own patch, and whether it is sharp
        else:
            first = nn.Conv2d(channels + 3, _WIDTH, 3, padding=1)
        self.layers = nn.Sequential(
            first,
            nn.LeakyReLU(config.leaky_slope),
            nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1),
            nn.LeakyReLU(config.leaky_slope),
        )
        self.projection = nn.Conv2d(_WIDTH, config.spatial_rest_channels, 1)
        self.norm = nn.BatchNorm2d(config.spatial_rest_channels, affine=False)
        seen = torch.ones(1, 1, config.image_size, config.image_size)
        rows, columns = (slice(*(edge * config.image_size // 16 for edge in edges)) for edges in HIDDEN)
        seen[..., rows, columns] = 0
        self.register_buffer("seen", seen, persistent=False)

    def forward(self, features: Tensor, images: Tensor) -> Tensor:
        """(B, M * P * P) of (B, C, H, W) and (B, 3, S, S) in [0, 1]."""
        shown = self._around(images) if self.around else self._whole(features, images)
        return self.norm(self.projection(F.adaptive_avg_pool2d(self.layers(shown), self.side))).flatten(1)

    def _around(self, images: Tensor) -> Tensor:
        coarse = F.interpolate(F.adaptive_avg_pool2d(images, COARSE), images.shape[-2:], mode="bilinear")
        shown = torch.where(self.seen > 0, images, coarse)
        return torch.cat([4 * (shown - 0.5), self.seen.expand(len(images), -1, -1, -1)], dim=1)

    def _whole(self, features: Tensor, images: Tensor) -> Tensor:
        small = F.adaptive_avg_pool2d(images, features.shape[-2:])
        features = torch.cat([features, (4 * (small - 0.5)).to(features.dtype)], dim=1)
        if features.shape[-1] < self.side:
            features = F.interpolate(features, (self.side, self.side), mode="bilinear")
        return features
