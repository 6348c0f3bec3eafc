"""A rest code with places: a few channels of 8 x 8 or 16 x 16 that say where what is, beside the rest vector.

A vector of some dozen numbers draws a person's mean face. Hair, pose, light and background have places,
and the decoder is told them by this map. In the middle, where brows, eyes and mouth are, it is drowned in
noise, unless something else keeps it from telling what the face shows: good enough to say which way the face
looks, so that the rest must be heard from the expression code. What the map still tells of the expression
is fought by an adversary of its own and measured by `facedis eval`, as of any code.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facedis.config import ModelConfig

#: Its name among the codes.
MAP = "map"
#: Rows and columns of the middle, in eighths of the side.
MIDDLE = (2, 7), (2, 6)
#: Deviation of the noise in training at the border and in the middle, in units of the map's own.
NOISE, NOISE_IN_THE_MIDDLE = 0.3, 1.0


class MapBranch(nn.Module):
    """From the feature map where the rest branch leaves the trunk to a flat (B, M * P * P) code.

    Args:
        channels: C of that map.
        config: `rest_map` is M, `rest_map_side` is P; `rest_map_colours`: the branch sees the picture too, as small
            as that map, for a trunk that looks for expressions forgets colours.
    """

    noise: Tensor

    def __init__(self, channels: int, config: ModelConfig) -> None:
        super().__init__()
        width, self.side, self.colours = 64, config.rest_map_side, config.rest_map_colours
        self.layers = nn.Sequential(
            nn.Conv2d(channels + 3 * self.colours, width, 3, padding=1),
            nn.LeakyReLU(config.slope),
            nn.Conv2d(width, width, 3, padding=1),
            nn.LeakyReLU(config.slope),
        )
        self.last = nn.Conv2d(width, config.rest_map, 1)
        self.norm = nn.BatchNorm2d(config.rest_map, affine=False)
        noise = torch.full((self.side, self.side), NOISE)
        noise[tuple(slice(*(edge * self.side // 8 for edge in edges)) for edges in MIDDLE)] = NOISE_IN_THE_MIDDLE
        self.register_buffer("noise", config.rest_map_noise * noise, persistent=False)

    def forward(self, features: Tensor, images: Tensor) -> Tensor:
        """(B, M * P * P) of (B, C, H, W) and (B, 3, S, S) in [0, 1]."""
        if self.colours:
            small = F.adaptive_avg_pool2d(images, features.shape[-2:])
            features = torch.cat([features, (4 * (small - 0.5)).to(features.dtype)], dim=1)
        if features.shape[-1] < self.side:
            features = F.interpolate(features, (self.side, self.side), mode="bilinear")
        code = self.norm(self.last(F.adaptive_avg_pool2d(self.layers(features), self.side)))
        if self.training:
            code = code + self.noise * torch.randn_like(code)
        return code.flatten(1)
