"""Adversaries: classifiers that predict a factor from a code that must not contain it (C_adv)."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from facedis.config import ModelConfig

#: Width of the two hidden layers of an "mlp", as in the MLP probe of the evaluation.
HIDDEN = 256
#: Branch and factor of the paper's adversary.
EXPRESSION_IN_REST = "rest", "expression"


class AdversaryEnsemble(nn.Module):
    """Several adversaries for one factor and one code. The paper has one linear classifier.

    Args:
        code_dim: Length of the code.
        classes: K of the factor.
        config: Kinds of the members, dropout.
    """

    def __init__(self, code_dim: int, classes: int, config: ModelConfig) -> None:
        super().__init__()
        kinds = config.adversary_ensemble
        self.members = nn.ModuleList(_member(kind, code_dim, classes, config.dropout) for kind in kinds)

    def forward(self, code: Tensor) -> Tensor:
        """(M, B, K) logits of the M members for a (B, D) code."""
        return torch.stack([member(code) for member in self.members])

    def log_probs(self, code: Tensor) -> Tensor:
        """(B, K) logarithm of the mean probability of the members, up to a constant."""
        return self(code).log_softmax(2).logsumexp(0)

    def reset_parameters(self) -> None:
        """Reinitialise all members with random weights."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                module.reset_parameters()


class Adversaries(nn.Module):
    """All adversaries of a model: one ensemble for each branch and each factor of another branch.

    Args:
        ensembles: By (branch, factor).
    """

    def __init__(self, ensembles: Mapping[tuple[str, str], AdversaryEnsemble]) -> None:
        super().__init__()
        self.pairs = tuple(ensembles)
        self.ensembles = nn.ModuleDict({f"{branch}-{factor}": each for (branch, factor), each in ensembles.items()})

    def items(self) -> Iterator[tuple[tuple[str, str], AdversaryEnsemble]]:
        """The ensembles with their pairs of branch and factor."""
        for pair, ensemble in zip(self.pairs, self.ensembles.values(), strict=True):
            assert isinstance(ensemble, AdversaryEnsemble)
            yield pair, ensemble

    def forward(self, codes: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """(M, B, K) logits for each pair of branch and factor."""
        return {(branch, factor): ensemble(codes[branch]) for (branch, factor), ensemble in self.items()}

    def expression_in_rest(self, code: Tensor) -> Tensor:
        """(B, K) logits of the expression, predicted from the rest code by the paper's C_adv."""
        return dict(self.items())[EXPRESSION_IN_REST].log_probs(code)

    def reset_parameters(self) -> None:
        """Reinitialise all adversaries with random weights."""
        for _, ensemble in self.items():
            ensemble.reset_parameters()


def build_adversaries(config: ModelConfig, sizes: Mapping[str, int]) -> Adversaries | None:
    """The adversaries of a model; None for a baseline.

    Args:
        config: Branches, factors and kinds of members.
        sizes: Number of classes of each factor, including the expression.
    """
    if config.baseline:
        return None
    dims = {"expression": config.expression_dim}
    return Adversaries(
        {
            (branch, factor): AdversaryEnsemble(dims.get(branch, config.rest_dim), sizes[factor], config)
            for branch in config.branches
            for factor, own in config.factor_branches.items()
            if own != branch
        }
    )


def _member(kind: str, size: int, classes: int, dropout: float) -> nn.Module:
    if kind == "linear":
        return nn.Sequential(nn.Dropout(dropout), nn.Linear(size, classes))
    layers: list[nn.Module] = []
    for width in (HIDDEN, HIDDEN):
        layers += [nn.Linear(size, width), nn.ReLU(), nn.Dropout(dropout)]
        size = width
    return nn.Sequential(*layers, nn.Linear(size, classes))
