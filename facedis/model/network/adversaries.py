"""Who tries to read a factor from a code that should not tell it: C_adv, and ensembles of its like."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from facedis.config import ModelConfig

#: Width of the two hidden layers of an "mlp": that of the fresh probes that judge it later.
HIDDEN = 256
EXPRESSION_IN_REST = "rest", "expression"


class AdversaryEnsemble(nn.Module):
    """Several adversaries of one factor on one code; the paper's is an ensemble of one linear classifier.

    Args:
        code_size: Length of the code.
        classes: K of the factor.
        config: Kinds of the members, dropout.
    """

    def __init__(self, code_size: int, classes: int, config: ModelConfig) -> None:
        super().__init__()
        self.members = nn.ModuleList(
            _member(kind, code_size, classes, config.dropout) for kind in config.adversary_ensemble
        )

    def forward(self, code: Tensor) -> Tensor:
        """(M, B, K) logits of the M members on a (B, D) code."""
        return torch.stack([member(code) for member in self.members])

    def log_probs(self, code: Tensor) -> Tensor:
        """(B, K) logits of the ensemble as one classifier: the mean of its members' probabilities."""
        return self(code).log_softmax(2).logsumexp(0)

    def reset_parameters(self) -> None:
        """Begin anew with random weights."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                module.reset_parameters()


class Adversaries(nn.Module):
    """All adversaries of a model: one ensemble for each branch and each factor that is not the branch's own.

    Args:
        ensembles: By (branch, factor).
    """

    def __init__(self, ensembles: Mapping[tuple[str, str], AdversaryEnsemble]) -> None:
        super().__init__()
        self.pairs = tuple(ensembles)
        self.ensembles = nn.ModuleDict({_key(*pair): ensemble for pair, ensemble in ensembles.items()})

    def ensemble(self, branch: str, factor: str) -> AdversaryEnsemble:
        """The adversaries of `factor` on the code of `branch`."""
        return self.ensembles[_key(branch, factor)]

    def forward(self, codes: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """(M, B, K) logits for each pair of branch and factor."""
        return {pair: self.ensemble(*pair)(codes[pair[0]]) for pair in self.pairs}

    def expression_in_rest(self, code: Tensor) -> Tensor:
        """(B, K) what C_adv of the paper says of the rest code."""
        return self.ensemble(*EXPRESSION_IN_REST).log_probs(code)

    def reset_parameters(self) -> None:
        """Let all of them begin anew."""
        for ensemble in self.ensembles.values():
            ensemble.reset_parameters()


def build_adversaries(config: ModelConfig, sizes: Mapping[str, int]) -> Adversaries | None:
    """The adversaries of a model; None for a baseline.

    Args:
        config: Branches, the owners of factors, kinds of members.
        sizes: Number of classes of each factor, the expression among them.
    """
    if config.baseline:
        return None
    lengths = {"expression": config.expression_dim}
    return Adversaries(
        {
            (branch, factor): AdversaryEnsemble(lengths.get(branch, config.rest_dim), sizes[factor], config)
            for branch in config.branches
            for factor, owner in config.factor_branches.items()
            if owner != branch
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


def _key(branch: str, factor: str) -> str:
    return f"{branch}-{factor}"
