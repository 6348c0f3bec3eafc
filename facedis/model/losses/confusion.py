"""What a branch minimises so that an adversary cannot read its code: eq. 2, and what others use instead.

Each objective takes (B, K) logits of an adversary that stays fixed, (B,) labels and the (K,) prior
of the classes, and gives a scalar. `hsic` is the exception: it looks at the code itself.

`uniform` has its largest gradient where the adversary is surest and none where it is undecided;
`reversal` is the other way round and never stops at uniform (docs/method.md).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from facedis.model.losses.objective import confusion_loss

Objective = Callable[[Tensor, Tensor, Tensor], Tensor]


def prior_loss(logits: Tensor, prior: Tensor) -> Tensor:
    """Cross-entropy of the adversary's output to the frequencies of the classes.

    Its fixed point is what an adversary without information answers where classes are not balanced.

    Args:
        logits: (B, K).
        prior: (K,) frequencies, summing to 1.
    """
    return -(F.log_softmax(logits, dim=1) * prior).sum(dim=1).mean()


def reversal_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Minus the adversary's cross-entropy: gradient reversal with the adversary's step apart.

    Source: Ganin & Lempitsky, Unsupervised domain adaptation by backpropagation, ICML 2015.
    """
    return -F.cross_entropy(logits, labels)


def entropy_loss(logits: Tensor) -> Tensor:
    """Minus the entropy of the adversary's output in nats; least, -ln K, at uniform.

    Source: Roy & Boddeti, Mitigating information leakage in image representations, CVPR 2019.
    """
    logs = F.log_softmax(logits, dim=1)
    return (logs.exp() * logs).sum(dim=1).mean()


def hsic_loss(codes: Tensor, labels: Tensor) -> Tensor:
    """Dependence of codes and classes, 0..1, without any adversary: normalised HSIC.

    Gaussian kernel with the batch's median distance on the codes, equality on the classes; divided
    by the norms of both, so that a code cannot escape by shrinking.

    Args:
        codes: (B, D).
        labels: (B,) in 0..K-1; a batch of less than 128 says little.

    Source: Gretton et al., ALT 2005; normalised as in Cortes, Mohri & Rostamizadeh, JMLR 13, 2012.
    """
    distances = torch.cdist(codes, codes).square()
    width = distances.detach().flatten().median().clamp_min(1e-6)
    same = (labels[:, None] == labels[None]).to(codes.dtype)
    left, right = (_centred(kernel) for kernel in (torch.exp(-distances / width), same))
    return (left * right).sum() / (left.norm() * right.norm()).clamp_min(1e-6)


def _centred(kernel: Tensor) -> Tensor:
    return kernel - kernel.mean(0, keepdim=True) - kernel.mean(1, keepdim=True) + kernel.mean()


#: By the setting `confusion`; of `hsic` there is none, it needs no adversary.
OBJECTIVES: dict[str, Objective] = {
    "uniform": lambda logits, labels, prior: confusion_loss(logits),
    "prior": lambda logits, labels, prior: prior_loss(logits, prior),
    "reversal": lambda logits, labels, prior: reversal_loss(logits, labels),
    "entropy": lambda logits, labels, prior: entropy_loss(logits),
}
