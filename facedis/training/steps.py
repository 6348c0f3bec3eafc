"""The two adversarial steps of section 2, each with its own optimiser.

Which loss moves what (x: gets a gradient):

    loss            trunk  B_exp  C_exp  B_rest  C_adv  De
    expression        x      x      x
    adversary                                      x
    confusion         x                    x
    reconstruction    x      x             x            x    (detached decoder: De only)

The faces are encoded once. The adversary learns on detached codes; then the encoder is judged by
the updated adversary, whose weights enter as constants.
"""

from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.func import functional_call
from torch.optim import Optimizer

from facedis.config import TrainConfig
from facedis.model import losses
from facedis.model.disentangler import Disentangler, Output
from facedis.model.losses import Losses


@dataclass
class Side:
    """One side of the game: a module as Fabric wraps it, the module itself, its optimisers."""

    wrapped: nn.Module
    module: nn.Module
    optimizers: tuple[Optimizer, ...]

    def update(self, fabric: Fabric, loss: Tensor) -> None:
        """One step down the gradient of `loss`."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        fabric.backward(loss)
        for optimizer in self.optimizers:
            optimizer.step()


@dataclass(frozen=True)
class ClassWeights:
    """(K,) weights of the two cross-entropies, or None."""

    expression: Tensor | None = None
    adversary: Tensor | None = None


def adversary_step(fabric: Fabric, adversary: Side, codes: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
    """Train C_adv, and nothing else, to read the expression from rest codes.

    Args:
        fabric: Devices and precision.
        adversary: C_adv and its optimiser.
        codes: (B, R) rest codes; detached here.
        labels: (B,).
        weights: (K,) of the classes, or None.

    Returns:
        L_exp^adv before the update, a scalar without gradient.
    """
    loss = losses.adversary_loss(adversary.wrapped(codes.detach()), labels, weights)
    adversary.update(fabric, loss)
    return loss.detach()


def encoder_loss(
    output: Output,
    images: Tensor,
    labels: Tensor,
    adversary: nn.Module | None,
    config: TrainConfig,
    weights: ClassWeights,
) -> Losses:
    """beta1 L_r + beta2 L_exp + beta3 L_En^adv with C_adv as a constant; `adversary` is left at zero.

    Args:
        output: One forward pass of the model.
        images: (B, 3, S, S) what the decoder should draw.
        labels: (B,).
        adversary: C_adv itself, not wrapped; None for a baseline.
        config: The betas and the reduction of L_r.
        weights: Of the classes.

    Source: eq. 3 and the paragraph below it.
    """
    zero = output.logits.new_zeros(())
    expression = losses.expression_loss(output.logits, labels, weights.expression, config.label_smoothing)
    confusion = reconstruction = zero
    if adversary is not None:
        constants = {name: value.detach() for name, value in adversary.named_parameters()}
        confusion = losses.confusion_loss(functional_call(adversary, constants, (output.codes.rest,)))
    if output.reconstruction is not None:
        reconstruction = losses.reconstruction_loss(images, output.reconstruction, config.reconstruction)
    # With beta1 = 0 a detached decoder still learns, from the mean error: it reaches nobody else.
    beta1 = config.beta1 or 1 / (images[0].numel() if config.reconstruction == "sum" else 1)
    total = beta1 * reconstruction + config.beta2 * expression + config.beta3 * confusion
    return Losses(expression, zero, confusion, reconstruction, total)


def train_step(
    fabric: Fabric,
    encoder: Side,
    adversary: Side | None,
    batch: tuple[Tensor, Tensor],
    config: TrainConfig,
    weights: ClassWeights,
) -> tuple[Losses, Output]:
    """One iteration: encode once, train the adversary, then train everything else against it.

    Args:
        fabric: Devices and precision.
        encoder: The disentangler and its optimiser.
        adversary: C_adv and its optimiser; None for a baseline.
        batch: (B, 3, S, S) images in [0, 1] and (B,) labels.
        config: Training settings.
        weights: Of the classes.

    Returns:
        The losses (all detached) and the forward pass.
    """
    images, labels = batch
    output: Output = encoder.wrapped(images)
    adversary_loss = output.logits.new_zeros(())
    if adversary is not None:
        for _ in range(config.adversary_steps):
            adversary_loss = adversary_step(fabric, adversary, output.codes.rest, labels, weights.adversary)
    with fabric.autocast():
        module = None if adversary is None else adversary.module
        result = encoder_loss(output, images, labels, module, config, weights)
    encoder.update(fabric, result.total)
    return Losses(*(term.detach() for term in result._replace(adversary=adversary_loss))), output


def encoder_optimizers(model: Disentangler, config: TrainConfig) -> tuple[Optimizer, ...]:
    """One optimiser for trunk, branches, C_exp and a joint decoder; a detached decoder has its own.

    Parts of the trunk that `train_trunk` leaves out are frozen here.
    """
    trunk = model.trunk
    trained = {"all": trunk, "last": trunk.last_stage, "none": None}[config.train_trunk]
    trunk.requires_grad_(False)
    if trained is not None:
        trained.requires_grad_(True)
    lr_trunk = config.lr_trunk or (config.lr / 10 if trunk.pretrained else config.lr)
    apart = list(trunk.parameters()) + (list(model.decoder.parameters()) if model.detached else [])
    known = {id(parameter) for parameter in apart}
    groups = [{"params": [parameter for parameter in model.parameters() if id(parameter) not in known]}]
    below = [parameter for parameter in trunk.parameters() if parameter.requires_grad]
    if below:
        groups.append({"params": below, "lr": lr_trunk})
    main = _optimizer(groups, config)
    # Drawing is not the game: whatever recipe the encoder has, Adam suits a decoder on its own.
    return (main, torch.optim.Adam(model.decoder.parameters(), DECODER_LR)) if model.detached else (main,)


def adversary_optimizers(adversary: nn.Module, config: TrainConfig) -> tuple[Optimizer, ...]:
    """Adam: C_adv must keep up with a code that moves, whatever recipe the encoder has."""
    return (torch.optim.Adam(adversary.parameters(), config.lr_adversary),)


#: Of a detached decoder, which shares no parameter with anything else.
DECODER_LR = 1e-3


def _optimizer(groups: list[dict], config: TrainConfig) -> Optimizer:
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, config.lr, momentum=0.9, nesterov=True, weight_decay=config.weight_decay)
    return torch.optim.Adam(groups, config.lr, weight_decay=config.weight_decay)
