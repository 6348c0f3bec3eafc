"""Losses that keep a rest code from collapsing: prediction heads, variance and covariance terms.

With beta1 = 0, a constant rest code minimises the confusion loss. These terms prevent that.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Side of the low-resolution target: lighting, pose, hair and skin colour are visible in it, eyebrows are not.
LOWRES_SIDE = 8
#: Update rate of the running class means and variances.
MOMENTUM = 0.05


class RetentionHead(nn.Module):
    """Linear prediction of a target from the rest code, with the expression removed from the target.

    The running mean of each expression is subtracted from the target, after which a linear classifier
    cannot predict the expression from it; each dimension is then divided by its running standard deviation. The
    target gets no gradient. Identity labels are not needed.

    Args:
        code_dim: R.
        target_dim: T.
        classes: K.
    """

    means: Tensor
    variance: Tensor

    def __init__(self, code_dim: int, target_dim: int, classes: int) -> None:
        super().__init__()
        self.predict = nn.Linear(code_dim, target_dim)
        self.register_buffer("means", torch.zeros(classes, target_dim))
        self.register_buffer("variance", torch.ones(target_dim))

    def forward(self, rest: Tensor, target: Tensor, labels: Tensor) -> Tensor:
        """Mean squared error of the prediction, in units of the target's variance.

        Args:
            rest: (B, R).
            target: (B, T), the trunk features or `lowres_target`.
            labels: (B,) expressions in 0..K-1.
        """
        target = target.detach().float()
        if self.training:
            self._update_statistics(target, labels)
        residual = (target - self.means[labels]) / self.variance.clamp_min(1e-8).sqrt()
        return (self.predict(rest) - residual).square().mean()

    @torch.no_grad()
    def _update_statistics(self, target: Tensor, labels: Tensor) -> None:
        for label in labels.unique():
            mean = target[labels == label].mean(0)
            self.means[label] += MOMENTUM * (mean - self.means[label])
        variance = (target - self.means[labels]).square().mean(0)
        self.variance += MOMENTUM * (variance - self.variance)


def lowres_target(images: Tensor) -> Tensor:
    """(B, LOWRES_SIDE ** 2) mean brightness of the tiles of (B, 3, S, S) images."""
    return F.adaptive_avg_pool2d(images.mean(1), LOWRES_SIDE).flatten(1)


def variance_loss(codes: Tensor) -> Tensor:
    """Mean amount by which the standard deviation of each dimension falls short of 1.

    Args:
        codes: (B, R).

    Source: Bardes, Ponce & LeCun, VICReg, ICLR 2022 (the variance term).
    """
    return torch.relu(1 - (codes.var(0) + 1e-4).sqrt()).mean()


def covariance_loss(codes: Tensor) -> Tensor:
    """Sum of the squared correlations of each dimension with all others, mean over the dimensions.

    A code with one dominant direction can hide information in directions that are too small for the
    adversary, but not for a probe that standardises its input.

    Args:
        codes: (B, R).

    Source: Bardes, Ponce & LeCun, VICReg, ICLR 2022 (the covariance term).
    Deviation: the dimensions are standardised.
    """
    centred = codes - codes.mean(0)
    standard = centred / (centred.square().mean(0) + 1e-4).sqrt()
    correlations = standard.T @ standard / len(codes)
    return (correlations.square().sum() - correlations.diagonal().square().sum()) / codes.shape[1]
