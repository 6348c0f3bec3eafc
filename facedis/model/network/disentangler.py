"""The model of Fig. 1: a trunk, an expression and a rest branch, a classifier, a decoder.

The paper's future work is in it too: any number of known factors, each with a branch and a head of its
own. The adversaries are a module apart (`facedis.model.network.adversaries`), because they have their own
optimiser and their own step and must never be updated together with the rest.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import NamedTuple

import torch
from torch import Tensor, nn

from facedis.config import ModelConfig
from facedis.errors import ConfigError
from facedis.events import EventHandler, ignore_events
from facedis.model.network.adversaries import Adversaries, build_adversaries
from facedis.model.network.branches import Branch
from facedis.model.network.decoder import build_decoder
from facedis.model.network.spatial_rest import MAP, SpatialRestBranch
from facedis.model.network.trunk import Source, Trunk, build_trunk


class Codes(NamedTuple):
    """The codes of a batch: (B, E), (B, R), and one (B, R) for each further branch.

    A baseline has no rest code; most models have no further branch.
    """

    expression: Tensor
    rest: Tensor | None
    others: Mapping[str, Tensor] = {}

    def named(self) -> dict[str, Tensor]:
        """Every code that is there, by the name of its branch."""
        rest = {} if self.rest is None else {"rest": self.rest}
        return {"expression": self.expression, **rest, **self.others}

    def detached(self) -> "Codes":
        """The same numbers without a way back for gradients."""
        return Codes.of({name: code.detach() for name, code in self.named().items()})

    @classmethod
    def of(cls, named: Mapping[str, Tensor]) -> "Codes":
        """Codes by the names of their branches."""
        others = {name: code for name, code in named.items() if name not in ("expression", "rest")}
        return cls(named["expression"], named.get("rest"), others)


class Output(NamedTuple):
    """One forward pass.

    Attributes:
        codes: The codes.
        logits: (B, K) of C_exp.
        features: (B, C) the trunk's map, averaged.
        reconstruction: (B, 3, S, S) in [0, 1], or None without a decoder.
        factors: (B, K_f) logits of each further factor's own head, by name.
    """

    codes: Codes
    logits: Tensor
    features: Tensor
    reconstruction: Tensor | None
    factors: Mapping[str, Tensor] = {}


class Disentangler(nn.Module):
    """Everything that the encoder's step trains.

    Args:
        trunk: The shared encoder.
        sizes: Number of classes of each factor; the expression's among them.
        config: Sizes and kinds.

    Attributes:
        rest_gradient: Share of the gradient of all branches but the expression's that the shared
            part of the trunk gets; a setting of training.
        retention_heads: One `RetentionHead` per target, "embedding" or "picture"; used in training only.
        code_noise: Deviation of the noise on the expression code while it trains.
    """

    def __init__(self, trunk: Trunk, sizes: Mapping[str, int], config: ModelConfig) -> None:
        super().__init__()
        shape = trunk.map_shape(config.image_size)
        # First what a baseline has, so that one seed gives both the same random weights to begin with.
        self.trunk = trunk
        self.expression_branch = Branch(shape, config.expression_dim, config)
        self.expression_head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(config.expression_dim, sizes["expression"])
        )
        self.rest_stages = None
        if config.unshared_stages and not config.baseline:
            self.rest_stages = _copied(trunk, config.unshared_stages)
        further = {name: Branch(shape, config.rest_dim, config) for name in config.branches[1:]}
        self.rest_branch = further.pop("rest", None)
        self.other_branches = nn.ModuleDict(further)
        self.factor_branches = {
            factor: owner for factor, owner in config.factor_branches.items() if factor != "expression"
        }
        self.factor_heads = nn.ModuleDict(
            {factor: nn.Linear(config.rest_dim, sizes[factor]) for factor in self.factor_branches}
        )
        length = config.expression_dim + config.rest_dim * (len(config.branches) - 1)
        self.spatial_rest = None
        if config.spatial_rest_channels:
            self.spatial_rest = SpatialRestBranch(trunk.map_shape(config.image_size, config.unshared_stages)[0], config)
        self.decoder = None if config.decoder == "none" else build_decoder(length, config)
        self.draws = config.decoder
        self.retention_heads = nn.ModuleDict()
        self.freeze_trunk_bn = False
        self.rest_gradient = 1.0
        self.code_noise = 0.0

    @property
    def detached(self) -> bool:
        """Whether the decoder learns without touching any code."""
        return self.draws == "detached"

    @property
    def draws_later(self) -> bool:
        """Whether drawing is learned once the encoder is finished, and this is before."""
        return self.draws == "post-hoc" and self.training

    def decoder_modules(self) -> list[nn.Module]:
        """The parts that learn once the encoder is finished, where the decoder draws later."""
        return [module for module in (self.decoder, self.spatial_rest) if module is not None]

    def train(self, mode: bool = True) -> "Disentangler":
        """As in torch, but the trunk's BatchNorm keeps its statistics where `freeze_trunk_bn` says so.

        Statistics that drift towards new data although no weight moves are a classic silent error. The
        rest branch's own stages do learn, so theirs follow.
        """
        super().train(mode)
        if mode and self.freeze_trunk_bn:
            for module in self.trunk.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def forward(self, images: Tensor, draw: bool = True) -> Output:
        """Encode, classify and, where there is a decoder, reconstruct.

        Args:
            images: (B, 3, S, S) in [0, 1].
            draw: False to leave the decoder out, which takes longer than all else.
        """
        codes, features, below = self._encoded(images)
        factors = {
            factor: head(codes.named()[self.factor_branches[factor]]) for factor, head in self.factor_heads.items()
        }
        silent = not draw or self.decoder is None or self.draws_later
        reconstruction = None if silent else self._redrawn(codes, below)
        logits = self.expression_head(codes.expression)
        return Output(codes, logits, features.mean((2, 3)), reconstruction, factors)

    def encode(self, images: Tensor) -> Codes:
        """The codes of `images` (B, 3, S, S) in [0, 1], and nothing drawn."""
        return self._encoded(images)[0]

    def _encoded(self, images: Tensor) -> tuple[Codes, Tensor, Tensor]:
        """The codes, the trunk's map, and the map that the rest branch reads."""
        own = len(self.rest_stages) if self.rest_stages else 0
        shared, features = self.trunk.split(images, own)
        expression = self.expression_branch(features)
        if self.training and self.code_noise:
            expression = expression + self.code_noise * torch.randn_like(expression)
        below = scale_gradient(shared, self.rest_gradient)
        below = self.rest_stages(below) if self.rest_stages else below
        named = {"expression": expression} | {name: branch(below) for name, branch in self._further()}
        if self.spatial_rest is not None and not self.draws_later:
            named[MAP] = self.spatial_rest(shared.detach(), images)
        return Codes.of(named), features, below

    def decode(self, codes: Codes) -> Tensor:
        """(B, 3, S, S) faces in [0, 1] of `codes`; any codes may be put together."""
        return self.decoder(torch.cat(list(codes.named().values()), dim=1))

    def _further(self) -> list[tuple[str, nn.Module]]:
        rest = [] if self.rest_branch is None else [("rest", self.rest_branch)]
        return rest + list(self.other_branches.items())

    def _redrawn(self, codes: Codes, below: Tensor) -> Tensor:
        """The faces that the decoder draws of the codes, with gradients only where `decoder` wants them."""
        if self.draws == "joint":
            return self.decode(codes)
        kept = codes.detached()
        if self.draws == "rest-only" and self.training:  # into the branch alone: not into trunk or expression code
            kept = kept._replace(rest=self.rest_branch(below.detach()))
        return self.decode(kept)


def scale_gradient(values: Tensor, share: float) -> Tensor:
    """`values`, through which only this share of a gradient passes back."""
    if share == 0:
        return values.detach()
    return values if share == 1 else share * values + (1 - share) * values.detach()


def build(
    config: ModelConfig, sizes: Mapping[str, int], offline: bool = False, handler: EventHandler = ignore_events
) -> tuple[Disentangler, Adversaries | None]:
    """The model and its adversaries; none for a baseline.

    Args:
        config: Sizes and kinds.
        sizes: Number of classes of each factor of `config.owners`.
        offline: Refuse to download weights.
        handler: Told of a download.

    Raises:
        ConfigError: Settings that do not go together.
        WeightsError: The trunk's weights cannot be had.
    """
    model = Disentangler(build_trunk(config.trunk, Source(config.weights, offline, handler)), sizes, config)
    return model, build_adversaries(config, sizes)


def _copied(trunk: Trunk, stages: int) -> nn.Sequential:
    """The last stages of the trunk once more: as pretrained as it is, else with weights of their own."""
    if stages >= len(trunk.stages):
        raise ConfigError(
            f"--unshared-stages is {stages}", f"this trunk has {len(trunk.stages)} stages: leave one shared"
        )
    copied = deepcopy(trunk.stages[-stages:])
    if not trunk.pretrained:
        for module in copied.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
    return copied
