"""The losses of section 2, each a plain function on tensors.

The paper's equations carry their minus sign on the left: every loss here is positive and minimised.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class Losses(NamedTuple):
    """The terms of one iteration, each a scalar tensor; terms that are off are zero.

    `factors` is what teaches the branches of further factors, `retention` what keeps a rest code alive.
    """

    expression: Tensor
    adversary: Tensor
    confusion: Tensor
    reconstruction: Tensor
    factors: Tensor
    retention: Tensor
    total: Tensor


def expression_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """L_exp: cross-entropy of C_exp on the expression code, mean over the batch.

    Args:
        logits: (B, K).
        labels: (B,) in 0..K-1.
        weights: (K,) of the classes, or None.
        smoothing: Share of the target spread evenly over the classes.

    Source: eq. 1.
    """
    return F.cross_entropy(logits, labels, weights, label_smoothing=smoothing)


def adversary_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """L_exp^adv: cross-entropy of C_adv on the rest code; trains C_adv and nothing else.

    Args:
        logits: (B, K) of C_adv on detached codes.
        labels: (B,) in 0..K-1.
        weights: (K,) of the classes, or None.

    Source: eq. 2, first line.
    """
    return F.cross_entropy(logits, labels, weights)


def factor_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of a factor that is not known of every face; zero where it is known of none.

    Args:
        logits: (B, K).
        labels: (B,) in 0..K-1, -1 where unknown.

    Source: section 4 of the paper, "using identity labels instead".
    """
    known = labels >= 0
    return F.cross_entropy(logits[known], labels[known]) if known.any() else logits.sum() * 0


def confusion_loss(logits: Tensor) -> Tensor:
    """L_En^adv: cross-entropy of C_adv's output to the uniform distribution, mean over the batch.

    Its minimum is ln K, at a uniform output. Trains trunk and rest branch while C_adv stays fixed.

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
    beta1 = 0.001 could not have had the effect it shows (docs/method.md).
    """
    per_image = (images - reconstructions).square().flatten(1)
    return (per_image.sum(1) if reduction == "sum" else per_image.mean(1)).mean()
