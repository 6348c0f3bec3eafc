"""The decoder De: six deconvolutions from the concatenated codes back to the face."""

from torch import Tensor, nn

from facedis.config import ModelConfig
from facedis.errors import ConfigError


class Decoder(nn.Module):
    """From (B, E + R) codes to (B, 3, S, S) faces in [0, 1].

    The first layer opens 1x1 to S/32 x S/32, five more double it; where S is a multiple of 16 only,
    it opens to S/16 and the second layer keeps that. `deconv` is the paper's; `resize` upsamples
    and convolves instead, which leaves no checkerboard.

    Raises:
        ConfigError: S is not a multiple of 16.

    Source: paper, section 3: "six De-conv. layers with leaky-ReLU ... Sigmoid". Widths are [unsaid].
    """

    def __init__(self, code_size: int, config: ModelConfig) -> None:
        super().__init__()
        if config.size % 16:
            nearest = round(config.size / 16) * 16
            raise ConfigError(f"a decoder cannot make faces of {config.size} px", f"choose --size {nearest}")
        width = config.decoder_width
        keep = 1 if config.size % 32 else 0
        layers: list[nn.Module] = [nn.ConvTranspose2d(code_size, width, config.size // (16 if keep else 32))]
        for number in range(5):
            out = 3 if number == 4 else max(width // 2, 16)
            grow = _keep if number < keep else _double
            layers += [nn.LeakyReLU(config.slope), *grow(width, out, config.decoder_kind)]
            width = out
        self.layers = nn.Sequential(*layers, nn.Sigmoid())

    def forward(self, codes: Tensor) -> Tensor:
        """The faces of codes (B, E + R)."""
        return self.layers(codes[:, :, None, None])  # (B, 3, S, S)


def _keep(channels: int, out: int, kind: str) -> list[nn.Module]:
    layer = nn.ConvTranspose2d if kind == "deconv" else nn.Conv2d
    return [layer(channels, out, 3, padding=1)]


def _double(channels: int, out: int, kind: str) -> list[nn.Module]:
    if kind == "deconv":
        return [nn.ConvTranspose2d(channels, out, 4, stride=2, padding=1)]
    return [nn.Upsample(scale_factor=2), nn.Conv2d(channels, out, 3, padding=1)]
