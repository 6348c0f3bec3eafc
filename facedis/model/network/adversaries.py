"""Who tries to read a factor from a code that should not tell it: C_adv, and pools of its like."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from facedis.config import ModelConfig

#: Width of the two hidden layers of an "mlp": that of the fresh probes that judge it later.
HIDDEN = 256
EXPRESSION_IN_REST = "rest", "expression"


class Pool(nn.Module):
    """Several adversaries of one factor on one code; the paper's is a pool of one linear classifier.

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

    def answer(self, code: Tensor) -> Tensor:
        """(B, K) logits of the pool as one classifier: the mean of its members' probabilities."""
        return self(code).log_softmax(2).logsumexp(0)

    def restart(self) -> None:
        """Begin anew with random weights."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                module.reset_parameters()


class Opponents(nn.Module):
    """All adversaries of a model: one pool for each branch and each factor that is not the branch's own.

    Args:
        pools: By (branch, factor).
    """

    def __init__(self, pools: Mapping[tuple[str, str], Pool]) -> None:
        super().__init__()
        self.pairs = tuple(pools)
        self.pools = nn.ModuleDict({_key(*pair): pool for pair, pool in pools.items()})

    def pool(self, branch: str, factor: str) -> Pool:
        """The adversaries of `factor` on the code of `branch`."""
        return self.pools[_key(branch, factor)]

    def forward(self, codes: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """(M, B, K) logits for each pair of branch and factor."""
        return {pair: self.pool(*pair)(codes[pair[0]]) for pair in self.pairs}

    def expression_in_rest(self, code: Tensor) -> Tensor:
        """(B, K) what C_adv of the paper says of the rest code."""
        return self.pool(*EXPRESSION_IN_REST).answer(code)

    def restart(self) -> None:
        """Let all of them begin anew."""
        for pool in self.pools.values():
            pool.restart()


def opponents(config: ModelConfig, sizes: Mapping[str, int]) -> Opponents | None:
    """The adversaries of a model; None for a baseline.

    Args:
        config: Branches, the owners of factors, kinds of members.
        sizes: Number of classes of each factor, the expression among them.
    """
    if config.baseline:
        return None
    lengths = {"expression": config.expression_dim}
    return Opponents(
        {
            (branch, factor): Pool(lengths.get(branch, config.rest_dim), sizes[factor], config)
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
