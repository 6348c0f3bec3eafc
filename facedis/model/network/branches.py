"""The two branches B_exp and B_non-exp: four convolutions from the trunk's map to a code."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from facedis.config import ModelConfig


class Branch(nn.Module):
    """Four convolutions with leaky ReLU; the last is as large as the map and gives the code.

    The last convolution has no activation, so a code has both signs and its cosine (Table 3) uses
    the whole range.

    Args:
        map_shape: (C, H, W) of the trunk's feature map.
        code_size: Length of the code.
        config: Widths, first kernel, slope, BatchNorm, bound of the code.

    Source: paper, section 3: "four Conv. layers, with leaky-ReLU". Widths and kernels are [unsaid].
    """

    def __init__(self, map_shape: tuple[int, int, int], code_size: int, config: ModelConfig) -> None:
        super().__init__()
        channels, height, width = map_shape
        layers: list[nn.Module] = []
        for number, out in enumerate(config.branch_widths):
            kernel = 1 if number == 0 and config.branch == "light" else 3
            layers.append(nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=not config.branch_bn))
            if config.branch_bn:
                layers.append(nn.BatchNorm2d(out))
            layers.append(nn.LeakyReLU(config.leaky_slope))
            channels = out
        layers.append(nn.Conv2d(channels, code_size, (height, width)))
        self.layers = nn.Sequential(*layers)
        self.code_norm = CODE_NORMS[config.code_norm](code_size)
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):  # torch's default shrinks the signal at every layer
                nn.init.kaiming_normal_(layer.weight, a=config.leaky_slope)

    def forward(self, features: Tensor) -> Tensor:
        """The code of a feature map (B, C, H, W)."""
        return self.code_norm(self.layers(features).flatten(1))  # (B, code_size)


class UnitLength(nn.Module):
    """Codes of length sqrt(D), so that their numbers are of the size 1."""

    def forward(self, codes: Tensor) -> Tensor:
        """(B, D) of (B, D)."""
        return F.normalize(codes) * codes.shape[1] ** 0.5


#: By the setting `code_norm`. A code without a bound can run away from its adversary by growing.
CODE_NORMS: dict[str, Callable[[int], nn.Module]] = {
    "none": lambda size: nn.Identity(),
    "batch": lambda size: nn.BatchNorm1d(size, affine=False),
    "unit": lambda size: UnitLength(),
}
