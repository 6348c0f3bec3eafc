"""The two adversarial steps of section 2, each with its own optimiser.

Which loss moves what (x: gets a gradient):

    loss            trunk  B_exp  C_exp  B_rest  C_adv  De
    expression        x      x      x
    adversary                                      x
    confusion         x                    x
    reconstruction    x      x             x            x    (detached decoder: De; rest: B_rest and De;
                                                              later: nothing here, see training.drawing)

The faces are encoded once. The adversaries learn on detached codes; then the encoder is judged by
the updated adversaries, whose weights enter as constants. With further factors there are more
branches, each taught its own factor and cleaned of all others; the table holds for each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.func import functional_call
from torch.optim import Optimizer

from facedis.config import TrainConfig
from facedis.model.losses import objective as losses
from facedis.model.losses.confusion import CONFUSION_LOSSES, hsic_loss
from facedis.model.losses.objective import Losses
from facedis.model.losses.retention_losses import covariance_loss, lowres_target, variance_loss
from facedis.model.network.adversaries import EXPRESSION_IN_REST, Adversaries
from facedis.model.network.disentangler import Codes, Disentangler, Output
from facedis.training.recipes.distillation import distillation_loss
from facedis.training.recipes.mixup import Mixup, mix_loss
from facedis.training.recipes.sam import sam_perturbation


@dataclass
class OptimizedModule:
    """One side of the game: a module as Fabric wraps it, the module itself, its optimisers."""

    wrapped: nn.Module
    module: nn.Module
    optimizers: tuple[Optimizer, ...]

    def update(self, fabric: Fabric, loss: Tensor) -> None:
        """One step down the gradient of `loss`."""
        self.backward(fabric, loss)
        self.optimizer_step()

    def backward(self, fabric: Fabric, loss: Tensor) -> None:
        """The gradient of `loss`, and of nothing before it."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        fabric.backward(loss)

    def optimizer_step(self) -> None:
        """One step down the gradient that is there."""
        for optimizer in self.optimizers:
            optimizer.step()


@dataclass(frozen=True)
class ClassWeights:
    """(K,) weights of the two cross-entropies of the expression, or None, and its (K,) frequencies."""

    expression: Tensor | None = None
    adversary: Tensor | None = None
    prior: Tensor | None = None


@dataclass(frozen=True)
class Batch:
    """What one iteration learns from.

    Attributes:
        images: (B, 3, S, S) in [0, 1]; also what the decoder should draw.
        labels: (B,) expressions.
        factors: (B,) classes of each further factor, -1 where unknown.
        mix: How the images are blended; labels and factors are those of the first of each two.
        teacher_probs: (B, K) probabilities that teachers give for the images as they are, or None.
    """

    images: Tensor
    labels: Tensor
    factors: Mapping[str, Tensor] = field(default_factory=dict)
    mix: Mixup | None = None
    teacher_probs: Tensor | None = None

    def target(self, factor: str) -> Tensor:
        """(B,) classes of the expression or of a further factor."""
        return self.labels if factor == "expression" else self.factors[factor]


def adversary_step(
    fabric: Fabric, adversary: OptimizedModule, codes: Codes, batch: Batch, weights: Tensor | None
) -> Tensor:
    """Train the adversaries, and nothing else, to read from each code what it should not tell.

    Args:
        fabric: Devices and precision.
        adversary: The opponents and their optimiser.
        codes: Of the batch; detached here.
        batch: Labels and factors.
        weights: (K,) of the expressions, or None.

    Returns:
        L_exp^adv on the rest code before the update, mean over the ensemble: a scalar without gradient.
    """
    answers = adversary.wrapped(codes.detached().named())
    found = {pair: _ensemble_loss(logits, pair[1], batch, weights) for pair, logits in answers.items()}
    adversary.update(fabric, sum(len(answers[pair]) * loss for pair, loss in found.items()))
    return found[EXPRESSION_IN_REST].detach()


def _ensemble_loss(answers: Tensor, factor: str, batch: Batch, weights: Tensor | None) -> Tensor:
    """Mean over the members: each learns by itself, for their weights are apart."""
    loss = partial(losses.adversary_loss, weights=weights) if factor == "expression" else losses.factor_loss
    each = [mix_loss(batch.mix, partial(loss, logits), batch.target(factor)) for logits in answers]
    return torch.stack(each).mean()


def encoder_loss(
    model: Disentangler,
    output: Output,
    batch: Batch,
    adversary: Adversaries | None,
    config: TrainConfig,
    weights: ClassWeights,
    beta3_factor: float = 1.0,
) -> Losses:
    """beta1 L_r + beta2 L_exp + beta3 L_En^adv with C_adv as a constant; `adversary` is left at zero.

    Args:
        model: Itself; its retention_heads are asked.
        output: One forward pass of it.
        batch: Images and labels.
        adversary: The opponents themselves, not wrapped; None for a baseline.
        config: The betas, the confusion objective, the reduction of L_r, the further weights.
        weights: Of the classes.
        beta3_factor: Share of beta3 that holds at this step.

    Source: eq. 3 and the paragraph below it.
    """
    zero = output.logits.new_zeros(())
    told = partial(losses.expression_loss, output.logits, weights=weights.expression, smoothing=config.label_smoothing)
    expression = mix_loss(batch.mix, told, batch.labels)
    if batch.teacher_probs is not None:
        share = config.teacher_share
        expression = (1 - share) * expression + share * distillation_loss(output.logits, batch.teacher_probs)
    confusion = reconstruction = own = zero
    if adversary is not None:
        confusion = _confusion(output.codes, batch, adversary, config, weights)
    if output.reconstruction is not None:
        reconstruction = losses.reconstruction_loss(batch.images, output.reconstruction, config.reconstruction)
    if output.factors:
        own = sum(
            mix_loss(batch.mix, partial(losses.factor_loss, logits), batch.target(name))
            for name, logits in output.factors.items()
        )
    beta1 = config.beta1
    if beta1 == 0 and model.draws in ("detached", "rest"):  # it learns from the mean error: no expression code hears it
        beta1 = 1 / (batch.images[0].numel() if config.reconstruction == "sum" else 1)
    retention = _retention(model, output, batch, config)
    total = beta1 * reconstruction + config.beta2 * expression + beta3_factor * config.beta3 * confusion
    total = total + config.own_weight * own + retention
    return Losses(expression, zero, confusion, reconstruction, own, retention, total)


def _confusion(
    codes: Codes, batch: Batch, adversary: Adversaries, config: TrainConfig, weights: ClassWeights
) -> Tensor:
    """L_En^adv of the rest code, and `clean_weight` times that of every other pair of branch and factor."""
    named = codes.named()
    if config.confusion == "hsic":
        found = {
            (branch, factor): _dependence(named[branch], batch.target(factor)) for branch, factor in adversary.pairs
        }
    else:
        constants = {name: value.detach() for name, value in adversary.named_parameters()}
        answers = functional_call(adversary, constants, (named,))
        found = {pair: _fooled(logits, pair[1], batch, config, weights) for pair, logits in answers.items()}
    first = found.pop(EXPRESSION_IN_REST)
    return first + config.clean_weight * sum(found.values()) if found else first


def _fooled(answers: Tensor, factor: str, batch: Batch, config: TrainConfig, weights: ClassWeights) -> Tensor:
    """How far the members are from knowing nothing, mean over them."""
    labels = batch.target(factor)
    known = labels >= 0
    if config.confusion == "reversal" and not known.all():
        answers, labels = answers[:, known], labels[known]
    classes = answers.shape[2]
    uniform = answers.new_full((classes,), 1 / classes)
    prior = weights.prior if factor == "expression" and weights.prior is not None else uniform
    objective = CONFUSION_LOSSES[config.confusion]
    return torch.stack([objective(logits, labels, prior) for logits in answers]).mean()


def _dependence(code: Tensor, labels: Tensor) -> Tensor:
    known = labels >= 0
    return hsic_loss(code[known], labels[known]) if known.sum() > 1 else code.sum() * 0


def _retention(model: Disentangler, output: Output, batch: Batch, config: TrainConfig) -> Tensor:
    """What keeps the rest code alive; zero where nothing is asked for."""
    kept, rest = output.logits.new_zeros(()), output.codes.rest
    if rest is None:
        return kept
    if "embedding" in model.retention_heads:
        kept = kept + config.keep_embedding * model.retention_heads["embedding"](rest, output.features, batch.labels)
    if "picture" in model.retention_heads:
        kept = kept + config.keep_picture * model.retention_heads["picture"](
            rest, lowres_target(batch.images), batch.labels
        )
    if config.keep_variance:
        kept = kept + config.keep_variance * variance_loss(rest)
    if config.keep_apart:
        kept = kept + config.keep_apart * covariance_loss(rest.float())
    return kept


def train_step(
    fabric: Fabric,
    encoder: OptimizedModule,
    adversary: OptimizedModule | None,
    batch: Batch,
    config: TrainConfig,
    weights: ClassWeights,
    beta3_factor: float = 1.0,
) -> tuple[Losses, Output]:
    """One iteration: encode once, train the adversaries, then train everything else against them.

    Args:
        fabric: Devices and precision.
        encoder: The disentangler and its optimiser.
        adversary: The opponents and their optimiser; None for a baseline.
        batch: Images and labels.
        config: Training settings.
        weights: Of the classes.
        beta3_factor: Share of beta3 that holds at this step.

    Returns:
        The losses (all detached) and the forward pass.
    """
    output: Output = encoder.wrapped(batch.images)
    adversary_loss = output.logits.new_zeros(())
    if adversary is not None:
        for _ in range(config.adversary_steps):
            adversary_loss = adversary_step(fabric, adversary, output.codes, batch, weights.adversary)
    module = None if adversary is None else adversary.module

    def judged(answer: Output) -> Losses:
        with fabric.autocast():
            return encoder_loss(encoder.module, answer, batch, module, config, weights, beta3_factor)

    result = judged(output)
    encoder.backward(fabric, result.total)
    if config.sharpness:
        with sam_perturbation(encoder.module, config.sharpness) as found:
            if found:  # else the scaler of 16-bit gradients leaves this step out, as it does without sharpness
                encoder.backward(fabric, judged(encoder.wrapped(batch.images)).total)
    encoder.optimizer_step()
    return Losses(*(term.detach() for term in result._replace(adversary=adversary_loss))), output


def encoder_optimizers(model: Disentangler, config: TrainConfig) -> tuple[Optimizer, ...]:
    """One optimiser for trunk, branches, heads and a joint decoder; a detached decoder has its own.

    Parts of the trunk that `train_trunk` leaves out are frozen here.
    """
    trunk = model.trunk
    trained = {"all": trunk, "last": trunk.last_stage, "none": None}[config.train_trunk]
    trunk.requires_grad_(False)
    if trained is not None:
        trained.requires_grad_(True)
    lr_trunk = config.lr_trunk or (config.lr / 10 if trunk.pretrained else config.lr)
    copied = list(model.rest_stages.parameters()) if model.rest_stages else []
    apart = list(trunk.parameters()) + copied + (list(model.decoder.parameters()) if model.detached else [])
    if model.draws == "later":  # facedis.training.decoder.decoder_trainer has optimisers of its own
        apart += [weight for part in model.decoder_modules() for weight in part.requires_grad_(False).parameters()]
    known = {id(parameter) for parameter in apart}
    groups = [{"params": [parameter for parameter in model.parameters() if id(parameter) not in known]}]
    below = [parameter for parameter in trunk.parameters() if parameter.requires_grad] + copied
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
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, config.lr, weight_decay=config.weight_decay)
