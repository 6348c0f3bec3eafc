"""A patch discriminator conditioned on the expression."""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class PatchDiscriminator(nn.Module):
    """Five convolutions with spectral norm, to one output per patch.

    A discriminator of whole images overfits if there are few training faces.

    Args:
        classes: K.
        width: Output channels of the first convolution.

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
        self.head = spectral_norm(nn.Conv2d(channels, 1, 3, padding=1))
        self.class_embedding = nn.Embedding(classes, channels)
        nn.init.normal_(self.class_embedding.weight, std=0.1)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Score of each patch; high for real faces of that expression.

        Args:
            images: (B, 3, S, S) in [0, 1].
            labels: (B,) expressions.

        Returns:
            (B, 1, H, W).
        """
        maps = self.layers(2 * images - 1)
        class_scores = torch.einsum("bchw,bc->bhw", maps, self.class_embedding(labels))[:, None]
        return self.head(maps) + class_scores / maps.shape[1] ** 0.5
