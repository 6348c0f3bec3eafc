"""What keeps a rest code alive where nothing else asks for it: with beta1 = 0 a constant would do."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Side of the few pixels that a rest code may have to tell: light, pose, hair and skin are in them, a brow is not.
PIXELS = 8
#: How much a batch moves the running means.
MOMENTUM = 0.05


class RetentionHead(nn.Module):
    """The rest code must tell something of the face, as far as that does not tell the expression.

    The something is the target and gets no gradient. From each face's the running mean of its expression is
    taken away, after which no linear classifier finds the expression in it; each number is then
    divided by its running deviation. Needs no name of anybody, so it works on photographs of strangers.

    Args:
        code_size: R.
        size: T of the target.
        classes: K.
    """

    def __init__(self, code_size: int, size: int, classes: int) -> None:
        super().__init__()
        self.predict = nn.Linear(code_size, size)
        self.register_buffer("means", torch.zeros(classes, size))
        self.register_buffer("variance", torch.ones(size))

    def forward(self, rest: Tensor, target: Tensor, labels: Tensor) -> Tensor:
        """Mean squared error of the prediction, in units of the target's own variance.

        Args:
            rest: (B, R).
            target: (B, T), as the trunk's features or `lowres_target`.
            labels: (B,) in 0..K-1.
        """
        target = target.detach().float()
        if self.training:
            self._follow(target, labels)
        erased = (target - self.means[labels]) / self.variance.clamp_min(1e-8).sqrt()
        return (self.predict(rest) - erased).square().mean()

    @torch.no_grad()
    def _follow(self, target: Tensor, labels: Tensor) -> None:
        for label in labels.unique():
            mean = target[labels == label].mean(0)
            self.means[label] += MOMENTUM * (mean - self.means[label])
        spread = (target - self.means[labels]).square().mean(0)
        self.variance += MOMENTUM * (spread - self.variance)


def lowres_target(images: Tensor) -> Tensor:
    """(B, PIXELS * PIXELS) mean brightness of the tiles of (B, 3, S, S) images."""
    return F.adaptive_avg_pool2d(images.mean(1), PIXELS).flatten(1)


def variance_loss(codes: Tensor) -> Tensor:
    """Mean shortfall of each number's deviation below 1: nothing to pay for a code that moves.

    Args:
        codes: (B, R).

    Source: Bardes, Ponce & LeCun, VICReg, ICLR 2022 (the variance term).
    """
    return torch.relu(1 - (codes.var(0) + 1e-4).sqrt()).mean()


def covariance_loss(codes: Tensor) -> Tensor:
    """Sum of the squared correlations of each number of a code with all others, mean over the numbers.

    A code that is one direction many times over can hide in the others what it tells: they are too
    small for an adversary that learns along, and not for a probe that standardises them.

    Args:
        codes: (B, R).

    Source: Bardes, Ponce & LeCun, VICReg, ICLR 2022 (the covariance term, of standardised numbers).
    """
    centred = codes - codes.mean(0)
    standard = centred / (centred.square().mean(0) + 1e-4).sqrt()
    correlations = standard.T @ standard / len(codes)
    return (correlations.square().sum() - correlations.diagonal().square().sum()) / codes.shape[1]
