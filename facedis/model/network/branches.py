"""The branches B_exp and B_non-exp: four convolutions from the trunk's feature map to a code."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from facedis.config import ModelConfig


class Branch(nn.Module):
    """Four convolutions with leaky ReLU; the kernel of the last one covers the feature map.

    The last convolution has no activation, so that codes have both signs and their cosine (Table 3) uses
    the whole range.

    Args:
        map_shape: (C, H, W) of the trunk's feature map.
        code_dim: Length of the code.
        config: Widths, first kernel, leaky slope, BatchNorm, normalisation of the code.

    Source: paper, section 3: "four Conv. layers, with leaky-ReLU". The paper does not state widths and kernels.
    """

    def __init__(self, map_shape: tuple[int, int, int], code_dim: int, config: ModelConfig) -> None:
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
        layers.append(nn.Conv2d(channels, code_dim, (height, width)))
        self.layers = nn.Sequential(*layers)
        self.code_norm = CODE_NORMS[config.code_norm](code_dim)
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):  # torch's default initialisation reduces the signal in every layer
                nn.init.kaiming_normal_(layer.weight, a=config.leaky_slope)

    def forward(self, features: Tensor) -> Tensor:
        """(B, D) code of a (B, C, H, W) feature map."""
        return self.code_norm(self.unnormalised(features))

    def unnormalised(self, features: Tensor) -> Tensor:
        """(B, D) code before its normalisation."""
        return self.layers(features).flatten(1)


class UnitNorm(nn.Module):
    """Scales codes to the norm sqrt(D), so that their elements have a mean square of 1."""

    def forward(self, codes: Tensor) -> Tensor:
        """(B, D) of (B, D)."""
        return F.normalize(codes) * codes.shape[1] ** 0.5


#: By the setting `code_norm`. An unbounded code can escape its adversary by growing.
CODE_NORMS: dict[str, Callable[[int], nn.Module]] = {
    "none": lambda size: nn.Identity(),
    "batch": lambda size: nn.BatchNorm1d(size, affine=False),
    "unit": lambda size: UnitNorm(),
}
