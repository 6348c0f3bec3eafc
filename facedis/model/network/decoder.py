"""The decoder De: from the concatenated codes back to the face.

The paper's is six deconvolutions. The other kind, `film`, is told the codes again at every size it draws.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facedis.config import ModelConfig
from facedis.errors import ConfigError


def build_decoder(code_size: int, config: ModelConfig) -> nn.Module:
    """The decoder of the kind that `config` names, for codes of `code_size` numbers and the rest map behind them.

    Raises:
        ConfigError: It cannot draw faces of that size.
    """
    if config.image_size % 16:
        nearest = round(config.image_size / 16) * 16
        raise ConfigError(f"a decoder cannot make faces of {config.image_size} px", f"choose --image-size {nearest}")
    return FiLMDecoder(code_size, config) if config.decoder_kind == "film" else Decoder(code_size, config)


class Decoder(nn.Module):
    """From (B, E + R) codes to (B, 3, S, S) faces in [0, 1].

    The first layer opens 1x1 to S/32 x S/32, five more double it; where S is a multiple of 16 only,
    it opens to S/16 and the second layer keeps that. `deconv` is the paper's; `resize` upsamples
    and convolves instead, which leaves no checkerboard.

    Source: paper, section 3: "six De-conv. layers with leaky-ReLU ... Sigmoid". Widths are [unsaid].
    """

    def __init__(self, code_size: int, config: ModelConfig) -> None:
        super().__init__()
        width = config.decoder_width
        keep = 1 if config.image_size % 32 else 0
        layers: list[nn.Module] = [nn.ConvTranspose2d(code_size, width, config.image_size // (16 if keep else 32))]
        for number in range(5):
            out = 3 if number == 4 else max(width // 2, 16)
            grow = _keep if number < keep else _double
            layers += [nn.LeakyReLU(config.leaky_slope), *grow(width, out, config.decoder_kind)]
            width = out
        self.layers = nn.Sequential(*layers, nn.Sigmoid())

    def forward(self, codes: Tensor) -> Tensor:
        """The faces of codes (B, E + R)."""
        return self.layers(codes[:, :, None, None])  # (B, 3, S, S)


class FiLMDecoder(nn.Module):
    """From (B, E + R) codes, and a rest map if there is one, to (B, 3, S, S) faces in [0, 1].

    A linear layer opens the codes to S/16 x S/16; four blocks double it. Each block normalises its
    channels and lets all codes scale and shift them, so that a short expression
    code is heard at every size and cannot be drowned by a longer rest code at the entrance. The rest
    map joins where the picture has at least as many places: after the first doubling or the second.

    Source: FiLM, 1709.07871; AdaIN, 1703.06868. Upsampling before convolving, against
    checkerboards: Odena et al., Distill 2016.
    """

    def __init__(self, code_size: int, config: ModelConfig) -> None:
        super().__init__()
        self.code_size, self.map_channels, self.side = code_size, config.spatial_rest_channels, config.spatial_rest_size
        width, self.start = config.decoder_width, config.image_size // 16
        self.joins = self.side // 8  # the block that is told the map
        self.stem = nn.Linear(code_size, width * self.start**2)
        widths = [max(width // share, 16) for share in (2, 3, 6, 12)]
        before = [width, widths[0], widths[1], widths[2]]
        before[self.joins] += self.map_channels
        self.blocks = nn.ModuleList(
            _FiLMBlock(*pair, code_size, config.leaky_slope) for pair in zip(before, widths, strict=True)
        )
        # Once more where the face is laid out: at an eighth and at a quarter of the size.
        self.refine = nn.ModuleList(_FiLMBlock(out, out, code_size, config.leaky_slope) for out in widths[:2])
        self.to_rgb = nn.Conv2d(widths[-1], 3, 3, padding=1)

    def forward(self, codes: Tensor) -> Tensor:
        """The faces of codes (B, E + R + map)."""
        style, flat = codes[:, : self.code_size], codes[:, self.code_size :]
        drawn = self.stem(style).unflatten(1, (-1, self.start, self.start))
        for number, block in enumerate(self.blocks):
            if number == self.joins and self.map_channels:
                layout = flat.unflatten(1, (self.map_channels, self.side, self.side))
                if layout.shape[-1] != drawn.shape[-1]:
                    layout = F.interpolate(layout, drawn.shape[-2:], mode="bilinear")
                drawn = torch.cat([drawn, layout.to(drawn.dtype)], dim=1)
            drawn = block(F.interpolate(drawn, scale_factor=2.0), style)
            if number < len(self.refine):
                drawn = self.refine[number](drawn, style)
        return torch.sigmoid(self.to_rgb(drawn))  # (B, 3, S, S)


class _FiLMBlock(nn.Module):
    """A convolution, BatchNorm, the codes' scale and shift, a leaky ReLU.

    A norm of each picture by itself, as AdaIN has it, would take from the map how bright its places are.
    """

    def __init__(self, channels: int, out: int, code_size: int, slope: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 3, padding=1, bias=False)
        self.norm, self.film, self.slope = nn.BatchNorm2d(out, affine=False), nn.Linear(code_size, 2 * out), slope

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        """(B, out, H, W) of (B, C, H, W) and (B, code_size)."""
        scale, shift = self.film(style)[:, :, None, None].chunk(2, dim=1)
        return F.leaky_relu(self.norm(self.conv(maps)) * (1 + scale) + shift, self.slope)


def _keep(channels: int, out: int, kind: str) -> list[nn.Module]:
    layer = nn.ConvTranspose2d if kind == "deconv" else nn.Conv2d
    return [layer(channels, out, 3, padding=1)]


def _double(channels: int, out: int, kind: str) -> list[nn.Module]:
    if kind == "deconv":
        return [nn.ConvTranspose2d(channels, out, 4, stride=2, padding=1)]
    return [nn.Upsample(scale_factor=2), nn.Conv2d(channels, out, 3, padding=1)]
