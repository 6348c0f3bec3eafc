"""A critic of pictures: is this a real face of that expression, or a drawn one?"""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class PatchDiscriminator(nn.Module):
    """Five convolutions, each halving the picture but the first, to one number a place.

    Judges places and not whole faces: with two thousand faces to learn from, a critic of whole faces
    would know them by heart.

    Args:
        classes: K.
        width: Channels of the first convolution.

    Source: PatchGAN, 1611.07004; projection of the class, 1802.05637; spectral norm, 1802.05957.
    """

    def __init__(self, classes: int, width: int = 24) -> None:
        super().__init__()
        widths = (width, 2 * width, 4 * width, 4 * width)
        layers: list[nn.Module] = []
        channels = 3
        for out in widths:
            layers += [spectral_norm(nn.Conv2d(channels, out, 4, 2, 1)), nn.LeakyReLU(0.2)]
            channels = out
        self.layers = nn.Sequential(*layers)
        self.real = spectral_norm(nn.Conv2d(channels, 1, 3, padding=1))
        self.expression = nn.Embedding(classes, channels)
        nn.init.normal_(self.expression.weight, std=0.1)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """(B, 1, H, W), high where (B, 3, S, S) `images` look like real faces of the (B,) `labels`."""
        maps = self.layers(2 * images - 1)
        of_class = torch.einsum("bchw,bc->bhw", maps, self.expression(labels))[:, None]
        return self.real(maps) + of_class / maps.shape[1] ** 0.5
