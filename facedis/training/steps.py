"""The two adversarial steps of section 2, each with its own optimiser.

Modules that each loss trains (x: gets a gradient):

    loss            trunk  B_exp  C_exp  B_rest  C_adv  De
    expression        x      x      x
    adversary                                      x
    confusion         x                    x
    reconstruction    x      x             x            x    (detached decoder: De; rest-only: B_rest and De;
                                                              post-hoc: see facedis.training.decoder)

The faces are encoded once. The adversaries are trained on detached codes; then the encoder is trained against the
updated adversaries, whose weights are constants in this step. Each further factor has its own branch, which is
trained to predict this factor and to confuse the adversaries of all other factors.
"""

from functools import partial

import torch
from lightning_fabric import Fabric
from torch import Tensor

from facedis.config import TrainConfig
from facedis.model.losses.objective import Losses, adversary_loss, factor_loss
from facedis.model.network.adversaries import EXPRESSION_IN_REST, Adversaries
from facedis.model.network.disentangler import Codes, Disentangler, Output
from facedis.training.encoder_objective import Batch, ClassWeights, EncoderObjective
from facedis.training.optimizers import OptimizedModule
from facedis.training.recipes.mixup import mix_loss
from facedis.training.recipes.sam import sam_perturbation


def train_step(
    fabric: Fabric,
    encoder: OptimizedModule[Disentangler],
    adversary: OptimizedModule[Adversaries] | None,
    batch: Batch,
    config: TrainConfig,
    weights: ClassWeights,
    beta3_factor: float = 1.0,
) -> tuple[Losses, Output]:
    """One iteration: encode once, train the adversaries, then train everything else against them.

    Args:
        fabric: Devices and precision.
        encoder: The disentangler and its optimisers.
        adversary: The adversaries and their optimiser; None for a baseline.
        batch: Images and labels.
        config: Training settings.
        weights: Class weights.
        beta3_factor: Factor on beta3 at this step.

    Returns:
        The losses (all detached) and the forward pass.
    """
    output: Output = encoder.wrapped(batch.images)
    loss = output.logits.new_zeros(())
    if adversary is not None:
        for _ in range(config.adversary.adversary_steps):
            loss = adversary_step(fabric, adversary, output.codes, batch, weights.adversary)
    module = None if adversary is None else adversary.module
    objective = EncoderObjective(encoder.module, module, config, weights, beta3_factor)
    losses = encoder_step(fabric, encoder, output, batch, objective)
    return losses._replace(adversary=loss), output


def adversary_step(
    fabric: Fabric, adversary: OptimizedModule[Adversaries], codes: Codes, batch: Batch, weights: Tensor | None
) -> Tensor:
    """Train the adversaries, and nothing else, to predict each factor from the codes of other branches.

    Args:
        fabric: Devices and precision.
        adversary: The adversaries and their optimiser.
        codes: Codes of the batch; detached here.
        batch: Labels and factors.
        weights: (K,) class weights of the expressions, or None.

    Returns:
        L_exp^adv on the rest code before the update, mean over the ensemble: a scalar without gradient.
    """
    logits = adversary.wrapped(codes.detached().named())
    losses = {pair: _ensemble_loss(each, pair[1], batch, weights) for pair, each in logits.items()}
    total = sum((len(logits[pair]) * loss for pair, loss in losses.items()), batch.images.new_zeros(()))
    adversary.update(fabric, total)
    return losses[EXPRESSION_IN_REST].detach()


def encoder_step(
    fabric: Fabric,
    encoder: OptimizedModule[Disentangler],
    output: Output,
    batch: Batch,
    objective: EncoderObjective,
) -> Losses:
    """Train everything but the adversaries.

    Args:
        fabric: Devices and precision.
        encoder: The disentangler and its optimisers.
        output: Its forward pass on the batch.
        batch: Images and labels.
        objective: The loss.

    Returns:
        The losses, detached; `adversary` is zero.
    """
    with fabric.autocast():
        losses = objective(output, batch)
    encoder.backward(fabric, losses.total)
    if objective.config.sam_rho:
        with sam_perturbation(encoder.module, objective.config.sam_rho) as moved:
            if moved:  # else the gradient scaler of 16-bit precision skips this step, as it does without SAM
                perturbed = encoder.wrapped(batch.images)
                with fabric.autocast():
                    total = objective(perturbed, batch).total
                encoder.backward(fabric, total)
    encoder.optimizer_step()
    return Losses(*(term.detach() for term in losses))


def _ensemble_loss(logits: Tensor, factor: str, batch: Batch, weights: Tensor | None) -> Tensor:
    """Mean loss of the members; their weights are independent, so each is trained on its own loss."""
    loss = partial(adversary_loss, weights=weights) if factor == "expression" else factor_loss
    return torch.stack([mix_loss(batch.mixup, partial(loss, each), batch.target(factor)) for each in logits]).mean()
