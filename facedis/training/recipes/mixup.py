"""Mixup: every image of a batch is mixed with another one, and its loss with the loss for the other label."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Mixup:
    """How a batch is mixed.

    Attributes:
        partner: (B,) index of the image that each image is mixed with.
        weight: Weight of the image itself, in [0, 1]; that of the partner is 1 - weight.
    """

    partner: Tensor
    weight: float

    def mix(self, values: Tensor) -> Tensor:
        """(B, ...) mixture of (B, ...) `values` with those of the partners."""
        return self.weight * values + (1 - self.weight) * values[self.partner]


def draw_mixup(n: int, alpha: float, generator: torch.Generator) -> Mixup:
    """Draw one weight for the batch from Beta(alpha, alpha) and a random partner for each of `n` images.

    Source: 1710.09412, eq. 1.
    """
    # torch's Beta takes no generator, and a repeated step must draw the same numbers.
    weight = np.random.default_rng(generator.initial_seed()).beta(alpha, alpha)
    return Mixup(torch.randperm(n, generator=generator), float(weight))


def mix_loss(mixup: Mixup | None, loss: Callable[[Tensor], Tensor], labels: Tensor) -> Tensor:
    """The loss for the labels, mixed with that for the labels of the partners where there is a `mixup`.

    Args:
        mixup: How the images are mixed; None for no mixup.
        loss: Maps (B,) labels to a scalar.
        labels: (B,) labels of the images.
    """
    if mixup is None:
        return loss(labels)
    return mixup.weight * loss(labels) + (1 - mixup.weight) * loss(labels[mixup.partner])
