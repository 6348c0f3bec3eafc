"""A running mean of a model's tensors over the steps of training, which answers better than the last step's."""

from copy import deepcopy

import torch
from torch import Tensor, nn

#: In a checkpoint, before the name of an averaged tensor.
PREFIX = "average."


class EMA:
    """The exponential mean of every tensor of a module, BatchNorm's statistics among them.

    Args:
        module: What is being trained; it stays as it is.
        decay: Share of the mean that a step leaves, in the long run. The first steps leave less, so that the
            random weights of the start are soon forgotten.

    Source: 1610.02242 (temporal ensembling), 1703.01780 (mean teacher).
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = deepcopy(module).eval().requires_grad_(False)
        self.decay, self.steps = decay, 0

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the tensors of `module` as they are after a step."""
        self.steps += 1
        share = 1 - min(self.decay, self.steps / (self.steps + 9))
        now = module.state_dict()
        for name, mean in self.module.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(now[name], share)
            else:
                mean.copy_(now[name])

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint must hold to go on."""
        named = {PREFIX + name: value for name, value in self.module.state_dict().items()}
        return named | {f"{PREFIX}steps": torch.tensor(self.steps)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what `tensors` gave."""
        own = {name.removeprefix(PREFIX): value for name, value in tensors.items() if name.startswith(PREFIX)}
        self.steps = int(own.pop("steps"))
        self.module.load_state_dict(own)
