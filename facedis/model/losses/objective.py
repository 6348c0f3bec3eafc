"""The losses of section 2 of the paper, as plain functions on tensors.

The paper writes its equations with a minus sign on the left. Here every loss is positive and minimised.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class Losses(NamedTuple):
    """The loss terms of one iteration as scalar tensors; disabled terms are zero.

    Attributes:
        expression: L_exp, eq. 1.
        adversary: L_exp^adv, eq. 2.
        confusion: L_En^adv, eq. 2.
        reconstruction: L_r.
        factors: Classification of the further factors on their own branches.
        retention: The terms that keep the rest code from collapsing.
        total: What the encoder minimises, eq. 3.
    """

    expression: Tensor
    adversary: Tensor
    confusion: Tensor
    reconstruction: Tensor
    factors: Tensor
    retention: Tensor
    total: Tensor


def expression_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """L_exp: cross-entropy of the expression classifier C_exp, mean over the batch.

    Args:
        logits: (B, K) of C_exp on the expression code.
        labels: (B,) in 0..K-1.
        weights: (K,) class weights, or None.
        smoothing: Label smoothing, the fraction of the target that is uniform.

    Source: eq. 1.
    """
    return F.cross_entropy(logits, labels, weights, label_smoothing=smoothing)


def adversary_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """L_exp^adv: cross-entropy of the adversary C_adv on the rest code; trains C_adv only.

    Args:
        logits: (B, K) of C_adv on detached codes.
        labels: (B,) in 0..K-1.
        weights: (K,) class weights, or None.

    Source: eq. 2, first line.
    """
    return F.cross_entropy(logits, labels, weights)


def factor_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of a factor over the faces with a known value; zero where no value is known.

    Args:
        logits: (B, K).
        labels: (B,) in 0..K-1, -1 where unknown.

    Source: section 4 of the paper, "using identity labels instead".
    """
    known = labels >= 0
    return F.cross_entropy(logits[known], labels[known]) if known.any() else logits.sum() * 0


def confusion_loss(logits: Tensor) -> Tensor:
    """L_En^adv: cross-entropy of the adversary's output to the uniform distribution, mean over the batch.

    The minimum is ln K, at a uniform output. Trains the trunk and the rest branch with C_adv constant.

    Args:
        logits: (B, K) of C_adv on the rest code.

    Source: eq. 2, second line.
    """
    return -F.log_softmax(logits, dim=1).mean(dim=1).mean()


def reconstruction_loss(images: Tensor, reconstructions: Tensor, reduction: str = "sum") -> Tensor:
    """L_r: squared L2 norm of the difference per image, mean over the batch.

    Args:
        images: (B, 3, S, S) in [0, 1].
        reconstructions: (B, 3, S, S) in [0, 1].
        reduction: "sum" over the pixels as in the paper, or their "mean".

    Source: section 2. That the norm is a sum over pixels follows from Table 2: with a mean,
    beta1 = 0.001 could not have the effect it shows (docs/method.md).
    """
    per_image = (images - reconstructions).square().flatten(1)
    return (per_image.sum(1) if reduction == "sum" else per_image.mean(1)).mean()
