"""Modules with their optimisers, and the optimisers of encoder and adversaries."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from facedis.config import TrainConfig
from facedis.model.network.disentangler import Disentangler

M = TypeVar("M", bound=nn.Module)
#: Learning rate of a detached decoder, which shares no parameter with anything else.
DECODER_LR = 1e-3


@dataclass
class OptimizedModule(Generic[M]):
    """A module, its wrapper for distributed training and mixed precision, and its optimisers.

    Attributes:
        wrapped: The module as wrapped by Fabric, for forward passes.
        module: The module itself.
        optimizers: The optimisers; their parameter groups store the initial learning rate as "initial_lr".
    """

    wrapped: nn.Module
    module: M
    optimizers: tuple[Optimizer, ...]

    @classmethod
    def setup(
        cls, fabric: Fabric, module: M, optimizers: tuple[Optimizer, ...], compiled: bool = False
    ) -> "OptimizedModule[M]":
        """Move a module and its optimisers to Fabric's device, and wrap them.

        Args:
            fabric: Devices and precision.
            module: The module.
            optimizers: Its optimisers.
            compiled: Whether to wrap with torch.compile.
        """
        for optimizer in optimizers:
            store_initial_lr(optimizer)
        inner: Any = torch.compile(module) if compiled else module
        wrapped, *ready = fabric.setup(inner, *optimizers)
        return cls(wrapped, module, tuple(ready))

    def train(self) -> None:
        """Set the wrapped module to training mode."""
        self.wrapped.train()

    def update(self, fabric: Fabric, loss: Tensor) -> None:
        """One optimisation step on `loss`."""
        self.backward(fabric, loss)
        self.optimizer_step()

    def backward(self, fabric: Fabric, loss: Tensor) -> None:
        """Compute the gradient of `loss` and discard earlier gradients."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        fabric.backward(loss)

    def optimizer_step(self) -> None:
        """Update the parameters with their current gradients."""
        for optimizer in self.optimizers:
            optimizer.step()

    def scale_lr(self, factor: float) -> None:
        """Set the learning rates to `factor` times their initial values."""
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * factor


def store_initial_lr(optimizer: Optimizer) -> None:
    """Store the learning rate of each parameter group under "initial_lr"."""
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]


def encoder_optimizers(model: Disentangler, config: TrainConfig) -> tuple[Optimizer, ...]:
    """The optimiser of trunk, branches, classifiers and joint decoder, and that of a detached decoder.

    The parts of the trunk that `finetune` excludes, and a post-hoc decoder, are frozen here.
    """
    trunk = model.trunk
    trained = {"all": trunk, "last": trunk.last_stage, "none": None}[config.finetune]
    trunk.requires_grad_(False)
    if trained is not None:
        trained.requires_grad_(True)
    detached = model.decoder if model.decoder_mode == "detached" else None
    unshared = list(model.rest_stages.parameters()) if model.rest_stages else []
    excluded = [*trunk.parameters(), *unshared, *(detached.parameters() if detached is not None else ())]
    if model.decoder_mode == "post-hoc":  # see facedis.training.decoder.decoder_trainer
        excluded += [weight for part in model.decoder_modules() for weight in part.requires_grad_(False).parameters()]
    known = {id(parameter) for parameter in excluded}
    groups: list[dict[str, Any]] = [{"params": [weight for weight in model.parameters() if id(weight) not in known]}]
    pretrained = [weight for weight in trunk.parameters() if weight.requires_grad] + unshared
    if pretrained:
        lr_trunk = config.lr_trunk or (config.lr / 10 if trunk.pretrained else config.lr)
        groups.append({"params": pretrained, "lr": lr_trunk})
    main = _optimizer(groups, config)
    # A detached decoder is independent of the encoder's optimiser; Adam suits it.
    return (main, torch.optim.Adam(detached.parameters(), DECODER_LR)) if detached is not None else (main,)


def adversary_optimizers(adversary: nn.Module, config: TrainConfig) -> tuple[Optimizer, ...]:
    """Adam, independent of the encoder's optimiser, as the codes of the encoder change during training."""
    return (torch.optim.Adam(adversary.parameters(), config.adversary.lr_adversary),)


def _optimizer(groups: list[dict[str, Any]], config: TrainConfig) -> Optimizer:
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, config.lr, momentum=0.9, nesterov=True, weight_decay=config.weight_decay)
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, config.lr, weight_decay=config.weight_decay)
