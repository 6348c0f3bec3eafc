"""Mixup: every face of a batch is blended with another one, and so is what is asked of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Mixup:
    """How a batch is blended.

    Attributes:
        partner: (B,) the place of each face's partner.
        share: Of the face itself, 0..1; the partner has the rest.
    """

    partner: Tensor
    share: float

    def blend(self, of: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
        """The blend of what `of` gives for `values` and for the partners' values."""
        return self.share * of(values) + (1 - self.share) * of(values[self.partner])


def draw_mixup(n: int, alpha: float, generator: torch.Generator) -> Mixup:
    """One share for the whole batch from Beta(alpha, alpha), and a random partner for each face.

    Source: 1710.09412, eq. 1.
    """
    # torch's own Beta takes no generator, and a step must draw the same again when it is repeated.
    share = np.random.default_rng(generator.initial_seed()).beta(alpha, alpha)
    return Mixup(torch.randperm(n, generator=generator), float(share))


def mix_loss(mix: Mixup | None, of: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """`of(values)`, blended where there is a `mix`."""
    return of(values) if mix is None else mix.blend(of, values)
