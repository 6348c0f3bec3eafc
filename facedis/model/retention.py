"""What keeps a rest code alive where nothing else asks for it: with beta1 = 0 a constant would do."""

import torch
from torch import Tensor, nn

#: How much a batch moves the running means.
MOMENTUM = 0.05


class EmbeddingKeeper(nn.Module):
    """The rest code must tell the trunk's features, as far as these do not tell the expression.

    The features are the target and get no gradient. From each the running mean of its expression is
    taken away, after which no linear classifier finds the expression in them; each number is then
    divided by its running deviation. Needs no name of anybody, so it works on photographs of strangers.

    Args:
        code_size: R.
        features: C of the trunk.
        classes: K.
    """

    def __init__(self, code_size: int, features: int, classes: int) -> None:
        super().__init__()
        self.predict = nn.Linear(code_size, features)
        self.register_buffer("means", torch.zeros(classes, features))
        self.register_buffer("variance", torch.ones(features))

    def forward(self, rest: Tensor, features: Tensor, labels: Tensor) -> Tensor:
        """Mean squared error of the prediction, in units of the features' own variance.

        Args:
            rest: (B, R).
            features: (B, C).
            labels: (B,) in 0..K-1.
        """
        target = features.detach().float()
        if self.training:
            self._follow(target, labels)
        erased = (target - self.means[labels]) / self.variance.clamp_min(1e-8).sqrt()
        return (self.predict(rest) - erased).square().mean()

    @torch.no_grad()
    def _follow(self, features: Tensor, labels: Tensor) -> None:
        for label in labels.unique():
            mean = features[labels == label].mean(0)
            self.means[label] += MOMENTUM * (mean - self.means[label])
        spread = (features - self.means[labels]).square().mean(0)
        self.variance += MOMENTUM * (spread - self.variance)


def variance_floor(codes: Tensor) -> Tensor:
    """Mean shortfall of each number's deviation below 1: nothing to pay for a code that moves.

    Args:
        codes: (B, R).

    Source: Bardes, Ponce & LeCun, VICReg, ICLR 2022 (the variance term).
    """
    return torch.relu(1 - (codes.var(0) + 1e-4).sqrt()).mean()


def dependence(codes: Tensor) -> Tensor:
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
