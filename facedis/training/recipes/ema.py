"""Exponential moving average of the weights."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Tensors = tuple[Tensor, ...] | list[Tensor]


class EMA(AveragedModel):
    """Exponential moving average of the parameters and buffers of a module, in eval mode.

    The decay of step n is min(decay, n / (n + 9)), so that the random initial weights soon have no influence.

    Args:
        module: The module in training; it is copied.
        decay: Fraction of the average that a step keeps, in [0, 1).

    Source: 1610.02242 (temporal ensembling), 1703.01780 (mean teacher).
    """

    n_averaged: Tensor
    module: Any  # AveragedModel does not declare the type of its copy

    def __init__(self, module: nn.Module, decay: float) -> None:
        super().__init__(module, multi_avg_fn=self._update, use_buffers=True)
        self.decay = decay
        self.n_averaged += 1  # the initial weights count; AveragedModel would copy the first update
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def _update(self, averages: Tensors, values: Tensors, n_averaged: Tensor | int) -> None:
        steps = int(self.n_averaged)
        if averages[0].is_floating_point():
            get_ema_multi_avg_fn(min(self.decay, steps / (steps + 9)))(averages, values, n_averaged)
        else:  # counters of batches
            for average, value in zip(averages, values, strict=True):
                average.copy_(value)
