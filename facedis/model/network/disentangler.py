"""The model of Fig. 1: trunk, expression branch, rest branch, classifier, decoder.

It also covers the paper's future work: any number of known factors, each with its own branch and classifier.
The adversaries are a separate module (`facedis.model.network.adversaries`), as they have their own optimiser
and are updated in a separate step.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from facedis.config import ModelConfig
from facedis.errors import ConfigError
from facedis.events import EventHandler, ignore_events
from facedis.model.network.adversaries import Adversaries, build_adversaries
from facedis.model.network.branches import Branch
from facedis.model.network.decoder import build_decoder
from facedis.model.network.spatial_rest import MAP, SpatialRestBranch
from facedis.model.network.trunk import Source, Trunk, build_trunk


class Codes(NamedTuple):
    """The codes of a batch.

    Attributes:
        expression: (B, E).
        rest: (B, R); None for a baseline.
        others: (B, R) of each branch of a further factor, and the flat spatial rest code, by name.
    """

    expression: Tensor
    rest: Tensor | None
    others: Mapping[str, Tensor] = {}

    def named(self) -> dict[str, Tensor]:
        """All codes by the name of their branch."""
        rest = {} if self.rest is None else {"rest": self.rest}
        return {"expression": self.expression, **rest, **self.others}

    def detached(self) -> "Codes":
        """The same codes without gradient."""
        return Codes.of({name: code.detach() for name, code in self.named().items()})

    @classmethod
    def of(cls, named: Mapping[str, Tensor]) -> "Codes":
        """Codes by the name of their branch."""
        others = {name: code for name, code in named.items() if name not in ("expression", "rest")}
        return cls(named["expression"], named.get("rest"), others)


class FeatureMaps(NamedTuple):
    """Feature maps of the trunk.

    Attributes:
        trunk: (B, C, H, W) output of the trunk, the input of the expression branch.
        shared: (B, C', H', W') output of the stages that all branches share.
    """

    trunk: Tensor
    shared: Tensor


class Output(NamedTuple):
    """Result of one forward pass.

    Attributes:
        codes: The codes.
        logits: (B, K) of the expression classifier C_exp.
        features: (B, C) the trunk's feature map, averaged over the positions.
        reconstruction: (B, 3, S, S) in [0, 1]; None without a decoder.
        factors: (B, K_f) logits of the classifier of each further factor, by name.
    """

    codes: Codes
    logits: Tensor
    features: Tensor
    reconstruction: Tensor | None
    factors: Mapping[str, Tensor] = {}


class Disentangler(nn.Module):
    """The trunk, the branches, the classifiers and the decoder.

    Args:
        trunk: The shared encoder.
        sizes: Number of classes of each factor, including the expression.
        config: Architecture.

    Attributes:
        factor_branches: Branch of each further factor.
        retention_heads: One `RetentionHead` per target, "features" or "lowres"; used in training only.
        decoder_mode: The setting `decoder`, with "auto" resolved.
        rest_grad_scale: Factor on the gradient that all branches but the expression branch pass to the shared
            stages; a training setting.
        expression_noise_std: Standard deviation of the noise on the expression code in training.
        freeze_trunk_bn: Whether the BatchNorm layers of the trunk stay in eval mode in training.
    """

    def __init__(self, trunk: Trunk, sizes: Mapping[str, int], config: ModelConfig) -> None:
        super().__init__()
        shape = trunk.map_shape(config.image_size)
        # The parts of a baseline come first, so that one seed gives both models the same initial weights.
        self.trunk = trunk
        self.expression_branch = Branch(shape, config.expression_dim, config)
        self.expression_head = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(config.expression_dim, sizes["expression"])
        )
        self.rest_stages: nn.Sequential | None = None
        if config.unshared_stages and not config.baseline:
            self.rest_stages = _copy_stages(trunk, config.unshared_stages)
        branches = {name: Branch(shape, config.rest_dim, config) for name in config.branches[1:]}
        self.rest_branch = branches.pop("rest", None)
        self.other_branches = nn.ModuleDict(branches)
        self.factor_branches = {name: own for name, own in config.factor_branches.items() if name != "expression"}
        self.factor_heads = nn.ModuleDict(
            {name: nn.Linear(config.rest_dim, sizes[name]) for name in self.factor_branches}
        )
        code_dim = config.expression_dim + config.rest_dim * (len(config.branches) - 1)
        self.spatial_rest: SpatialRestBranch | None = None
        if config.spatial_rest_channels:
            channels = trunk.map_shape(config.image_size, config.unshared_stages)[0]
            self.spatial_rest = SpatialRestBranch(channels, config)
        self.decoder = None if config.decoder == "none" else build_decoder(code_dim, config)
        self.decoder_mode = config.decoder
        self.retention_heads = nn.ModuleDict()
        self.freeze_trunk_bn = False
        self.rest_grad_scale = 1.0
        self.expression_noise_std = 0.0

    @property
    def awaits_decoder(self) -> bool:
        """Whether the encoder is in training and its post-hoc decoder is not trained yet."""
        return self.decoder_mode == "post-hoc" and self.training

    def decoder_modules(self) -> list[nn.Module]:
        """The modules that the training of a post-hoc decoder updates."""
        return [module for module in (self.decoder, self.spatial_rest) if module is not None]

    def train(self, mode: bool = True) -> "Disentangler":
        """As in torch, but with `freeze_trunk_bn` the BatchNorm layers of the trunk stay in eval mode.

        Otherwise their running statistics change even if the weights are frozen. The unshared stages of the rest
        branch are always trained, including their statistics.
        """
        super().train(mode)
        if mode and self.freeze_trunk_bn:
            for module in self.trunk.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def forward(self, images: Tensor, reconstruct: bool = True) -> Output:
        """Encode, classify and, if there is a decoder, reconstruct.

        Args:
            images: (B, 3, S, S) in [0, 1].
            reconstruct: Whether to run the decoder, the slowest part of the model.
        """
        maps = self.feature_maps(images)
        codes, rest_features = self._codes(maps, images)
        named = codes.named()
        factors = {name: head(named[self.factor_branches[name]]) for name, head in self.factor_heads.items()}
        reconstruction = None
        if reconstruct and self.decoder is not None and not self.awaits_decoder:
            reconstruction = self._reconstruct(codes, rest_features)
        return Output(codes, self.expression_head(codes.expression), maps.trunk.mean((2, 3)), reconstruction, factors)

    def encode(self, images: Tensor) -> Codes:
        """The codes of `images` (B, 3, S, S) in [0, 1]."""
        return self._codes(self.feature_maps(images), images)[0]

    def decode(self, codes: Codes) -> Tensor:
        """(B, 3, S, S) faces in [0, 1] of `codes`, which may come from different faces."""
        assert self.decoder is not None
        return self.decoder(torch.cat(list(codes.named().values()), dim=1))

    def feature_maps(self, images: Tensor) -> FeatureMaps:
        """The feature maps of the trunk for (B, 3, S, S) `images` in [0, 1]."""
        shared, trunk = self.trunk.split(images, len(self.rest_stages) if self.rest_stages else 0)
        return FeatureMaps(trunk, shared)

    def rest_features(self, maps: FeatureMaps) -> Tensor:
        """(B, C, H, W) input of the rest branch and the branches of further factors."""
        shared = scale_gradient(maps.shared, self.rest_grad_scale) if self.training else maps.shared
        return self.rest_stages(shared) if self.rest_stages else shared

    def _codes(self, maps: FeatureMaps, images: Tensor) -> tuple[Codes, Tensor]:
        expression = self.expression_branch(maps.trunk)
        if self.training and self.expression_noise_std:
            expression = expression + self.expression_noise_std * torch.randn_like(expression)
        named, rest_features = {"expression": expression}, self.rest_features(maps)
        if self.rest_branch is not None:
            named["rest"] = self.rest_branch(rest_features)
        named |= {name: branch(rest_features) for name, branch in self.other_branches.items()}
        if self.spatial_rest is not None and not self.awaits_decoder:
            named[MAP] = self.spatial_rest(maps.shared.detach(), images)
        return Codes.of(named), rest_features

    def _reconstruct(self, codes: Codes, rest_features: Tensor) -> Tensor:
        """The faces of the codes, with the gradient that the decoder mode prescribes."""
        if self.decoder_mode == "joint":
            return self.decode(codes)
        inputs = codes.detached()
        if self.decoder_mode == "rest-only" and self.training and self.rest_branch is not None:
            inputs = inputs._replace(rest=self.rest_branch(rest_features.detach()))
        return self.decode(inputs)


def scale_gradient(values: Tensor, scale: float) -> Tensor:
    """`values`, with the gradient that passes through them multiplied by `scale`."""
    if scale == 0:
        return values.detach()
    return values if scale == 1 else scale * values + (1 - scale) * values.detach()


def build(
    config: ModelConfig, sizes: Mapping[str, int], offline: bool = False, handler: EventHandler = ignore_events
) -> tuple[Disentangler, Adversaries | None]:
    """Build a model and its adversaries; a baseline has none.

    Args:
        config: Architecture.
        sizes: Number of classes of each factor, including the expression.
        offline: Do not download weights.
        handler: Receives the progress of a download.

    Raises:
        ConfigError: The settings are incompatible.
        WeightsError: The weights of the trunk are not available.
    """
    model = Disentangler(build_trunk(config.trunk, Source(config.weights, offline, handler)), sizes, config)
    return model, build_adversaries(config, sizes)


def _copy_stages(trunk: Trunk, stages: int) -> nn.Sequential:
    """A copy of the last stages of the trunk, reinitialised unless the trunk is pretrained."""
    if stages >= len(trunk.stages):
        raise ConfigError(
            f"--unshared-stages is {stages}", f"the trunk has {len(trunk.stages)} stages; at least one must be shared"
        )
    copy = deepcopy(trunk.stages[-stages:])
    if not trunk.pretrained:
        for module in copy.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
    return copy
