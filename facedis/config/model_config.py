"""Settings of the network of Fig. 1: trunk, two branches, two classifiers, decoder.

Values from the paper are marked with their section. [unspecified] marks values that the paper does not give;
docs/method.md explains how they were chosen.
"""

from dataclasses import dataclass
from typing import Literal

from facedis.config.schema import Check, Config, at_least, below, between, each_one_of, one_of, setting
from facedis.errors import ConfigError

_NETWORK, _DECODER, _EXTENSIONS = "Network", "Decoder", "Extensions of the paper's model"

#: Names of codes that an evaluation compares with the branches' codes.
RESERVED_BRANCHES = ("trunk", "random", "erased_trunk")


@dataclass(frozen=True, kw_only=True)
class ModelConfig(Config):
    """Table [model]."""

    trunk: str = setting(
        "inception_resnet_v1",  # section 3
        "Backbone: inception_resnet_v1 (the paper's), resnet18, resnet18_half, resnet18_faces, mobilenet_v3_large, "
        "efficientnet_b0, or a plugin.",
        group=_NETWORK,
    )
    weights: str = setting(
        "auto",  # section 3: VGGFace2
        "vggface2, casia-webface, imagenet, a file, a run, a packed model, none (random) or auto (the trunk's).",
        group=_NETWORK,
    )
    image_size: int = setting(  # [unspecified]
        160, "Side of the input in pixels.", group=_NETWORK, check=between(32, 512)
    )
    baseline: bool = setting(False, "No rest branch and no adversary: Table 1's baseline.", group="Objective (eq. 1-3)")
    branch: Literal["full", "light"] = setting(  # [unspecified]
        "full",
        "Branch architecture. light starts with a 1x1 convolution and is five times faster.",
        group=_NETWORK,
        advanced=True,
    )
    branch_widths: tuple[int, ...] = setting(  # [unspecified]
        (512, 256, 256),
        "Channels of the three convolutions of a branch.",
        group=_NETWORK,
        check=Check("three positive numbers", lambda widths: len(widths) == 3 and min(widths) > 0),
        advanced=True,
    )
    branch_bn: bool = setting(  # [unspecified]
        False, "Use BatchNorm in the branches.", group=_NETWORK, advanced=True
    )
    expression_dim: int = setting(  # [unspecified]
        256, "Dimension of the expression code.", group=_NETWORK, check=at_least(1), advanced=True
    )
    rest_dim: int = setting(  # [unspecified]
        256, "Dimension of the rest code.", group=_NETWORK, check=at_least(1), advanced=True
    )
    leaky_slope: float = setting(  # [unspecified]
        0.2, "Negative slope of the leaky ReLUs.", group=_NETWORK, check=below(1), advanced=True
    )
    dropout: float = setting(  # [unspecified]
        0.0, "Dropout before the linear classifiers.", group=_NETWORK, check=below(1), advanced=True
    )
    unshared_stages: int = setting(
        0,  # Fig. 1: the whole trunk is shared
        "Number of final trunk stages that the rest branch does not share.",
        group=_EXTENSIONS,
        check=at_least(0),
        advanced=True,
    )
    code_norm: Literal["none", "batch", "unit"] = setting(
        "none", "Normalisation of the codes.", group=_EXTENSIONS, advanced=True
    )
    factors: tuple[str, ...] = setting(
        (),  # section 4
        "Further known factors with a branch each, as in identity,yaw.",
        group="Objective (eq. 1-3)",
        metavar="NAMES",
    )
    adversary_ensemble: tuple[str, ...] = setting(
        ("linear",),  # section 3: one linear classifier
        "Adversaries of each code, as in linear,mlp,mlp.",
        group=_EXTENSIONS,
        check=each_one_of("linear", "mlp"),
        advanced=True,
        metavar="NAMES",
    )
    decoder: Literal["auto", "none", "joint", "rest-only", "detached", "post-hoc"] = setting(
        "auto",
        "Decoder: none, joint, rest-only, detached (no gradient to the codes), post-hoc (after the encoder), auto "
        "(joint if beta1 > 0).",
        group="Objective (eq. 1-3)",
    )
    decoder_kind: Literal["deconv", "resize", "film"] = setting(
        "deconv",  # section 3: six deconvolutions
        "Decoder architecture: deconv, resize (upsampling and convolution) or film (modulated by the codes).",
        group=_DECODER,
        advanced=True,
    )
    decoder_width: int = setting(  # [unspecified]
        512,
        "Channels of the first decoder layer, halved at each layer.",
        group=_DECODER,
        check=at_least(32),
        advanced=True,
    )
    spatial_rest_channels: int = setting(
        0,
        "Channels of a spatial rest code for a post-hoc decoder. 0: none.",
        group=_DECODER,
        check=at_least(0),
        advanced=True,
    )
    spatial_rest_size: int = setting(
        8, "Height and width of the spatial rest code.", group=_DECODER, check=one_of(8, 16), advanced=True
    )
    spatial_rest_context: Literal["periphery", "full"] = setting(
        "periphery",
        "Input of the spatial rest code: the image without the middle of the face, or the full image.",
        group=_DECODER,
        advanced=True,
    )

    def check_combinations(self) -> None:
        """Raise ConfigError where two settings contradict each other."""
        self._check_factors()
        if self.spatial_rest_channels and (self.decoder, self.decoder_kind) != ("post-hoc", "film"):
            raise ConfigError(
                f"--spatial-rest-channels is {self.spatial_rest_channels}, which only a post-hoc film decoder uses",
                "add --decoder post-hoc --decoder-kind film, or leave out --spatial-rest-channels",
            )
        if self.baseline and self.decoder not in ("auto", "none"):
            raise ConfigError(
                f"--decoder {self.decoder} needs a rest branch, and --baseline has none",
                "leave out --baseline or --decoder",
            )

    @property
    def factor_branches(self) -> dict[str, str]:
        """The branch of each known factor, expression first; identity belongs to `rest` unless stated otherwise."""
        named = (word.partition(":") for word in self.factors)
        return {"expression": "expression"} | {
            factor: branch or ("rest" if factor == "identity" else factor) for factor, _, branch in named
        }

    @property
    def branches(self) -> tuple[str, ...]:
        """Names of all branches: expression, rest, then those of further factors."""
        if self.baseline:
            return ("expression",)
        return tuple(dict.fromkeys(("expression", "rest", *self.factor_branches.values())))

    def _check_factors(self) -> None:
        shown = ",".join(self.factors)
        names = [word.partition(":")[0] for word in self.factors]
        plain = all(word.replace(":", "_").replace("-", "_").isidentifier() for word in self.factors)
        if not plain or not all(names):
            raise ConfigError(f"--factors is {shown}", "give names, as in identity,yaw or identity:person")
        branches = self.factor_branches
        if len({*names, "expression"}) <= len(names) or len(set(branches.values())) < len(branches):
            raise ConfigError(f"--factors is {shown}", "name each factor once, each with its own branch")
        if set(RESERVED_BRANCHES) & set(branches.values()):
            raise ConfigError(
                f"--factors is {shown}, and {', '.join(RESERVED_BRANCHES)} are reserved names",
                "choose another FACTOR:BRANCH",
            )
        if self.factors and self.baseline:
            raise ConfigError("--factors needs branches, and --baseline has only one", "leave out one of them")
