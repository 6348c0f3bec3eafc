"""The decoder De: from the concatenated codes to the face.

`Decoder` has the six deconvolutions of the paper; `FiLMDecoder` is modulated by the codes at every resolution.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facedis.config import ModelConfig
from facedis.errors import ConfigError


def build_decoder(code_dim: int, config: ModelConfig) -> nn.Module:
    """The decoder of the kind `config.decoder_kind`.

    Args:
        code_dim: Total length of the vector codes, which precede the spatial rest code in the input.
        config: Kind, width and image size.

    Raises:
        ConfigError: The image size is not a multiple of 16.
    """
    size = config.image_size
    if size % 16:
        raise ConfigError(
            f"a decoder cannot generate images of {size} px", f"choose --image-size {round(size / 16) * 16}"
        )
    return FiLMDecoder(code_dim, config) if config.decoder_kind == "film" else Decoder(code_dim, config)


class Decoder(nn.Module):
    """From (B, E + R) codes to (B, 3, S, S) faces in [0, 1].

    The first layer expands 1x1 to S/32 x S/32, and five more double the size. If S is not a multiple of
    32, the first layer expands to S/16 and the second one keeps the size. The kind `deconv` is the paper's;
    `resize` upsamples and convolves instead, which avoids checkerboard artifacts.

    Source: paper, section 3: "six De-conv. layers with leaky-ReLU ... Sigmoid". The paper does not state the widths.
    """

    def __init__(self, code_dim: int, config: ModelConfig) -> None:
        super().__init__()
        width, size = config.decoder_width, config.image_size
        keep = 1 if size % 32 else 0
        layers: list[nn.Module] = [nn.ConvTranspose2d(code_dim, width, size // (16 if keep else 32))]
        for number in range(5):
            out = 3 if number == 4 else max(width // 2, 16)
            layer = _same_size if number < keep else _double_size
            layers += [nn.LeakyReLU(config.leaky_slope), *layer(width, out, config.decoder_kind)]
            width = out
        self.layers = nn.Sequential(*layers, nn.Sigmoid())

    def forward(self, codes: Tensor) -> Tensor:
        """(B, 3, S, S) faces of (B, E + R) codes."""
        return self.layers(codes[:, :, None, None])


class FiLMDecoder(nn.Module):
    """From (B, E + R) codes, and an optional spatial rest code, to (B, 3, S, S) faces in [0, 1].

    A linear layer expands the codes to S/16 x S/16, and four blocks double the size. In each block, all codes
    scale and shift the normalised channels, so that a short expression code has an effect at every resolution
    although the rest code is longer. The spatial rest code is concatenated to the first feature map of at least its
    size.

    Source: FiLM, 1709.07871; AdaIN, 1703.06868. Upsampling followed by a convolution avoids
    checkerboard artifacts: Odena et al., Distill 2016.
    """

    def __init__(self, code_dim: int, config: ModelConfig) -> None:
        super().__init__()
        self.code_dim, self.map_channels = code_dim, config.spatial_rest_channels
        self.map_size, slope = config.spatial_rest_size, config.leaky_slope
        width, self.start = config.decoder_width, config.image_size // 16
        self.map_block = self.map_size // 8  # the block that gets the spatial rest code
        self.stem = nn.Linear(code_dim, width * self.start**2)
        widths = [max(width // divisor, 16) for divisor in (2, 3, 6, 12)]
        inputs = [width, widths[0], widths[1], widths[2]]
        inputs[self.map_block] += self.map_channels
        self.blocks = nn.ModuleList(_FiLMBlock(*pair, code_dim, slope) for pair in zip(inputs, widths, strict=True))
        # A second block at an eighth and at a quarter of the size, which determine the layout of the face.
        self.refine = nn.ModuleList(_FiLMBlock(out, out, code_dim, slope) for out in widths[:2])
        self.to_rgb = nn.Conv2d(widths[-1], 3, 3, padding=1)

    def forward(self, codes: Tensor) -> Tensor:
        """(B, 3, S, S) faces of (B, E + R + M * P * P) codes."""
        codes, spatial = codes[:, : self.code_dim], codes[:, self.code_dim :]
        maps = self.stem(codes).unflatten(1, (-1, self.start, self.start))
        for number, block in enumerate(self.blocks):
            if number == self.map_block and self.map_channels:
                spatial_map = spatial.unflatten(1, (self.map_channels, self.map_size, self.map_size))
                if spatial_map.shape[-1] != maps.shape[-1]:
                    spatial_map = F.interpolate(spatial_map, maps.shape[-2:], mode="bilinear")
                maps = torch.cat([maps, spatial_map.to(maps.dtype)], dim=1)
            maps = block(F.interpolate(maps, scale_factor=2.0), codes)
            if number < len(self.refine):
                maps = self.refine[number](maps, codes)
        return torch.sigmoid(self.to_rgb(maps))  # (B, 3, S, S)


class _FiLMBlock(nn.Module):
    """Convolution, BatchNorm, scale and shift by the codes, leaky ReLU.

    Instance norm, as in AdaIN, would remove the brightness that the spatial rest code encodes.
    """

    def __init__(self, channels: int, out: int, code_dim: int, slope: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 3, padding=1, bias=False)
        self.norm, self.film, self.slope = nn.BatchNorm2d(out, affine=False), nn.Linear(code_dim, 2 * out), slope

    def forward(self, maps: Tensor, codes: Tensor) -> Tensor:
        """(B, out, H, W) of (B, C, H, W) and (B, code_dim)."""
        scale, shift = self.film(codes)[:, :, None, None].chunk(2, dim=1)
        return F.leaky_relu(self.norm(self.conv(maps)) * (1 + scale) + shift, self.slope)


def _same_size(channels: int, out: int, kind: str) -> list[nn.Module]:
    layer = nn.ConvTranspose2d if kind == "deconv" else nn.Conv2d
    return [layer(channels, out, 3, padding=1)]


def _double_size(channels: int, out: int, kind: str) -> list[nn.Module]:
    if kind == "deconv":
        return [nn.ConvTranspose2d(channels, out, 4, stride=2, padding=1)]
    return [nn.Upsample(scale_factor=2), nn.Conv2d(channels, out, 3, padding=1)]
