"""The model of Fig. 1: a trunk, an expression and a rest branch, a classifier, a decoder.

The adversary C_adv is a module of its own (`adversary`), because it has its own optimiser and its
own step and must never be updated together with the rest.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from facedis.config import ModelConfig
from facedis.events import Listener, silent
from facedis.model.branches import Branch
from facedis.model.decoder import Decoder
from facedis.model.trunk import Source, Trunk, build_trunk


class Codes(NamedTuple):
    """The two codes of a batch: (B, E) and (B, R); a baseline has no rest code."""

    expression: Tensor
    rest: Tensor | None


class Output(NamedTuple):
    """One forward pass.

    Attributes:
        codes: The two codes.
        logits: (B, K) of C_exp.
        features: (B, C) the trunk's map, averaged.
        reconstruction: (B, 3, S, S) in [0, 1], or None without a decoder.
    """

    codes: Codes
    logits: Tensor
    features: Tensor
    reconstruction: Tensor | None


class Disentangler(nn.Module):
    """Everything that the encoder's step trains.

    Args:
        trunk: The shared encoder.
        classes: K, the number of expressions.
        config: Sizes and kinds.
    """

    def __init__(self, trunk: Trunk, classes: int, config: ModelConfig) -> None:
        super().__init__()
        shape = trunk.map_shape(config.size)
        self.trunk = trunk
        self.expression_branch = Branch(shape, config.expression_size, config)
        self.rest_branch = None if config.baseline else Branch(shape, config.rest_size, config)
        self.expression_head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(config.expression_size, classes))
        code_size = config.expression_size + config.rest_size
        self.decoder = None if config.decoder == "none" else Decoder(code_size, config)
        self.detached = config.decoder == "detached"
        self.fixed_trunk_norm = False

    def train(self, mode: bool = True) -> "Disentangler":
        """As in torch, but the trunk's BatchNorm keeps its statistics where `fixed_trunk_norm` says so.

        Statistics that drift towards new data although no weight moves are a classic silent error,
        and the two adversarial passes must see one and the same normalisation.
        """
        super().train(mode)
        if mode and self.fixed_trunk_norm:
            for module in self.trunk.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def forward(self, images: Tensor) -> Output:
        """Encode, classify and, where there is a decoder, reconstruct.

        Args:
            images: (B, 3, S, S) in [0, 1].
        """
        features = self.trunk(images)
        rest = None if self.rest_branch is None else self.rest_branch(features)
        codes = Codes(self.expression_branch(features), rest)
        reconstruction = None
        if self.decoder is not None:
            # A detached decoder learns to draw what the codes hold without touching them.
            reconstruction = self.decode(Codes(*(code.detach() for code in codes)) if self.detached else codes)
        return Output(codes, self.expression_head(codes.expression), features.mean((2, 3)), reconstruction)

    def decode(self, codes: Codes) -> Tensor:
        """(B, 3, S, S) faces in [0, 1] of `codes`; any two codes may be put together."""
        return self.decoder(torch.cat([codes.expression, codes.rest], dim=1))


def build(
    config: ModelConfig, classes: int, offline: bool = False, listener: Listener = silent
) -> tuple[Disentangler, nn.Module | None]:
    """The model and its adversary; no adversary for a baseline.

    Args:
        config: Sizes and kinds.
        classes: K, the number of expressions.
        offline: Refuse to download weights.
        listener: Told of a download.

    Raises:
        ConfigError: Settings that do not go together.
        WeightsError: The trunk's weights cannot be had.
    """
    model = Disentangler(build_trunk(config.trunk, Source(config.weights, offline, listener)), classes, config)
    adversary = None
    if not config.baseline:
        adversary = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(config.rest_size, classes))
    return model, adversary
