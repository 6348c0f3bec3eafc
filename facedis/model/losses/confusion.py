"""Confusion losses: what a branch minimises so that an adversary cannot predict a factor from its code.

`CONFUSION_LOSSES` maps (B, K) logits of a constant adversary, (B,) labels and the (K,) class prior to a
scalar. `hsic_loss` works on the code itself and needs no adversary.

`uniform` (eq. 2) has its largest gradient where the adversary is most confident and none where it is
undecided; `reversal` is the opposite and has no fixed point at the uniform output (docs/method.md).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from facedis.model.losses.objective import confusion_loss

ConfusionLoss = Callable[[Tensor, Tensor, Tensor], Tensor]


def prior_loss(logits: Tensor, prior: Tensor) -> Tensor:
    """Cross-entropy of the adversary's output to the class prior.

    The prior is the best output of an adversary without information where the classes are unbalanced.

    Args:
        logits: (B, K).
        prior: (K,) class frequencies, summing to 1.
    """
    return -(F.log_softmax(logits, dim=1) * prior).sum(dim=1).mean()


def reversal_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Negative cross-entropy of the adversary: gradient reversal with a separate step for the adversary.

    Args:
        logits: (B, K).
        labels: (B,) in 0..K-1.

    Source: Ganin & Lempitsky, Unsupervised domain adaptation by backpropagation, ICML 2015.
    """
    return -F.cross_entropy(logits, labels)


def entropy_loss(logits: Tensor) -> Tensor:
    """Negative entropy of the adversary's output in nats; its minimum is -ln K, at the uniform output.

    Args:
        logits: (B, K).

    Source: Roy & Boddeti, Mitigating information leakage in image representations, CVPR 2019.
    """
    log_probs = F.log_softmax(logits, dim=1)
    return (log_probs.exp() * log_probs).sum(dim=1).mean()


def hsic_loss(codes: Tensor, labels: Tensor) -> Tensor:
    """Normalised HSIC of codes and classes, in [0, 1]; needs no adversary.

    The kernel is Gaussian on the codes, with the median squared distance of the batch as its width, and
    equality on the classes. Dividing by the norms of both kernels removes the scale of the code.

    Args:
        codes: (B, D). Estimates from fewer than 128 faces are unreliable.
        labels: (B,) in 0..K-1.

    Source: Gretton et al., ALT 2005; normalised as in Cortes, Mohri & Rostamizadeh, JMLR 13, 2012.
    """
    distances = torch.cdist(codes, codes).square()
    width = distances.detach().flatten().median().clamp_min(1e-6)
    same = (labels[:, None] == labels[None]).to(codes.dtype)
    left, right = (_centred(kernel) for kernel in (torch.exp(-distances / width), same))
    return (left * right).sum() / (left.norm() * right.norm()).clamp_min(1e-6)


def _centred(kernel: Tensor) -> Tensor:
    return kernel - kernel.mean(0, keepdim=True) - kernel.mean(1, keepdim=True) + kernel.mean()


#: By the setting `confusion`; `hsic` is not among them, as it takes no adversary.
CONFUSION_LOSSES: dict[str, ConfusionLoss] = {
    "uniform": lambda logits, labels, prior: confusion_loss(logits),
    "prior": lambda logits, labels, prior: prior_loss(logits, prior),
    "reversal": lambda logits, labels, prior: reversal_loss(logits, labels),
    "entropy": lambda logits, labels, prior: entropy_loss(logits),
}
