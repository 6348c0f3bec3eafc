"""The objective of the encoder: eq. 3 of the paper, and the terms for further factors and retention."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor
from torch.func import functional_call

from facedis.config import TrainConfig
from facedis.model.losses.confusion import CONFUSION_LOSSES, hsic_loss
from facedis.model.losses.objective import Losses, expression_loss, factor_loss, reconstruction_loss
from facedis.model.losses.retention_losses import covariance_loss, lowres_target, variance_loss
from facedis.model.network.adversaries import EXPRESSION_IN_REST, Adversaries
from facedis.model.network.disentangler import Codes, Disentangler, Output
from facedis.training.recipes.distillation import distillation_loss
from facedis.training.recipes.mixup import Mixup, mix_loss


@dataclass(frozen=True)
class ClassWeights:
    """Weights and prior of the expressions.

    Attributes:
        expression: (K,) weights of the expression loss, or None.
        adversary: (K,) weights of the adversary loss, or None.
        prior: (K,) class frequencies, or None for uniform ones.
    """

    expression: Tensor | None = None
    adversary: Tensor | None = None
    prior: Tensor | None = None


@dataclass(frozen=True)
class Batch:
    """The input of one iteration.

    Attributes:
        images: (B, 3, S, S) in [0, 1]; also the target of the reconstruction.
        labels: (B,) expressions.
        factors: (B,) classes of each further factor, -1 where unknown.
        mixup: How the images are mixed; labels and factors are those of the first image of each pair.
        teacher_probs: (B, K) probabilities of the teachers for the images, or None.
    """

    images: Tensor
    labels: Tensor
    factors: Mapping[str, Tensor] = field(default_factory=dict)
    mixup: Mixup | None = None
    teacher_probs: Tensor | None = None

    def target(self, factor: str) -> Tensor:
        """(B,) classes of the expression or of a further factor."""
        return self.labels if factor == "expression" else self.factors[factor]


@dataclass(frozen=True)
class EncoderObjective:
    """beta1 L_r + beta2 L_exp + beta3 L_En^adv and further terms, with the adversaries as constants.

    Attributes:
        model: The disentangler; its retention heads are used.
        adversary: The adversaries, not wrapped; None for a baseline.
        config: Weights and kinds of the losses.
        weights: Class weights.
        beta3_factor: Factor on beta3.

    Source: eq. 3 and the paragraph below it.
    """

    model: Disentangler
    adversary: Adversaries | None
    config: TrainConfig
    weights: ClassWeights
    beta3_factor: float = 1.0

    def __call__(self, output: Output, batch: Batch) -> Losses:
        """The losses of a forward pass; `adversary` is zero.

        Args:
            output: Forward pass of the model on the images of the batch.
            batch: Images and labels.
        """
        config, zero = self.config, output.logits.new_zeros(())
        expression = self._expression(output, batch)
        confusion = zero if self.adversary is None else self._confusion(output.codes, batch, self.adversary)
        reconstruction = zero
        if output.reconstruction is not None:
            reduction = config.reconstruction_reduction
            reconstruction = reconstruction_loss(batch.images, output.reconstruction, reduction)
        losses = (
            mix_loss(batch.mixup, partial(factor_loss, logits), batch.target(name))
            for name, logits in output.factors.items()
        )
        factors = sum(losses, zero)
        retention = self._retention(output, batch)
        total = self._beta1(batch) * reconstruction + config.beta2 * expression
        total = total + self.beta3_factor * config.beta3 * confusion
        total = total + config.adversary.factor_weight * factors + retention
        return Losses(expression, zero, confusion, reconstruction, factors, retention, total)

    def _beta1(self, batch: Batch) -> float:
        """beta1; with beta1 = 0, the weight of the mean error for decoders without gradient to the expression code."""
        config = self.config
        if config.beta1 > 0 or self.model.decoder_mode not in ("detached", "rest-only"):
            return config.beta1
        return 1 / (batch.images[0].numel() if config.reconstruction_reduction == "sum" else 1)

    def _expression(self, output: Output, batch: Batch) -> Tensor:
        """L_exp, with the distillation loss if there are teachers."""
        config = self.config
        loss = partial(
            expression_loss, output.logits, weights=self.weights.expression, smoothing=config.label_smoothing
        )
        expression = mix_loss(batch.mixup, loss, batch.labels)
        if batch.teacher_probs is None:
            return expression
        weight = config.distillation_weight
        return (1 - weight) * expression + weight * distillation_loss(output.logits, batch.teacher_probs)

    def _confusion(self, codes: Codes, batch: Batch, adversary: Adversaries) -> Tensor:
        """L_En^adv of the rest code, and `factor_confusion_weight` times that of all other branches and factors."""
        named = codes.named()
        if self.config.adversary.confusion == "hsic":
            losses = {pair: _hsic(named[pair[0]], batch.target(pair[1])) for pair in adversary.pairs}
        else:
            constants = {name: value.detach() for name, value in adversary.named_parameters()}
            logits = functional_call(adversary, constants, (named,))
            losses = {pair: self._ensemble_confusion(each, pair[1], batch) for pair, each in logits.items()}
        first = losses.pop(EXPRESSION_IN_REST)
        others = sum(losses.values(), torch.zeros_like(first))
        return first + self.config.adversary.factor_confusion_weight * others if losses else first

    def _ensemble_confusion(self, logits: Tensor, factor: str, batch: Batch) -> Tensor:
        """Mean confusion loss of the (M, B, K) logits of an ensemble."""
        labels, kind = batch.target(factor), self.config.adversary.confusion
        known = labels >= 0
        if kind == "reversal" and not known.all():
            logits, labels = logits[:, known], labels[known]
        classes = logits.shape[2]
        prior = self.weights.prior if factor == "expression" else None
        prior = logits.new_full((classes,), 1 / classes) if prior is None else prior
        return torch.stack([CONFUSION_LOSSES[kind](each, labels, prior) for each in logits]).mean()

    def _retention(self, output: Output, batch: Batch) -> Tensor:
        """The weighted losses that keep the rest code from collapsing; zero without any."""
        total, rest, config = output.logits.new_zeros(()), output.codes.rest, self.config.retention
        if rest is None:
            return total
        for name, head in self.model.retention_heads.items():
            if name == "features":
                weight, target = config.feature_retention_weight, output.features
            else:
                weight, target = config.lowres_retention_weight, lowres_target(batch.images)
            total = total + weight * head(rest, target, batch.labels)
        if config.variance_weight:
            total = total + config.variance_weight * variance_loss(rest)
        if config.covariance_weight:
            total = total + config.covariance_weight * covariance_loss(rest.float())
        return total


def _hsic(code: Tensor, labels: Tensor) -> Tensor:
    known = labels >= 0
    return hsic_loss(code[known], labels[known]) if known.sum() > 1 else code.sum() * 0
