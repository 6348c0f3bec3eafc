"""The settings of every stage: one frozen dataclass each, every default written once, here.

`resolve` builds one from, in rising order: the defaults below, a preset, a TOML file, the options
typed. Values of the paper carry the section or equation they come from; `[unsaid]` marks what the
paper leaves open (docs/method.md says why the value is what it is).
"""

import difflib
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from facedis.errors import ConfigError, InputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Device = Literal["auto", "cpu", "cuda", "mps"]
Crop = Literal["box", "similarity", "none"]


@dataclass(frozen=True, kw_only=True)
class AlignConfig:
    """From images on disk to a faces cache."""

    dataset: str = "auto"  # a reader's name, or recognised from the folder
    detector: str = "mtcnn"  # a detector's name; "given" takes the dataset's boxes, "none" whole images
    crop: Literal["auto", "box", "similarity", "none"] = "auto"  # none where images are faces already
    size: int = 0  # pixels; 0: 160, or the images' own size where they are faces already
    margin: float = 32.0  # pixels of a 160 px crop around the box, as the VGGFace2 weights expect
    min_face: int = 20  # pixels in the photograph
    no_face: Literal["skip", "whole"] = "skip"
    several: Literal["largest", "central", "most-certain"] = "largest"
    val_share: float = 0.1  # of the identities, where the dataset brings no split
    test_share: float = 0.1
    seed: int = 0
    workers: int = 2  # threads that decode images ahead of the detector
    device: Device = "auto"

    def __post_init__(self) -> None:
        _choices(self)
        if self.detector == "none" and self.crop not in ("auto", "none"):
            raise ConfigError(
                f"detector 'none' finds no face to cut out by --crop {self.crop}", "leave out one of both"
            )
        _check(self, "size", self.size == 0 or 16 <= self.size <= 1024, "0 or 16..1024")
        _check(self, "margin", 0 <= self.margin < 160, "0 <= margin < 160")
        _check(self, "min_face", self.min_face >= 12, "at least 12")
        _check(self, "val_share", 0 <= self.val_share < 1, "0 <= share < 1")
        _check(self, "test_share", 0 <= self.test_share < 1 - self.val_share, "0 <= share < 1 - val_share")
        _check(self, "workers", self.workers >= 1, "at least 1")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The network of Fig. 1: trunk, two branches, two classifiers, decoder."""

    trunk: str = "inception_resnet_v1"  # section 3
    weights: str = "auto"  # section 3: VGGFace2; a name that the trunk knows, a file, or "none"
    size: int = 160  # [unsaid] pixels; what the VGGFace2 weights were trained on
    baseline: bool = False  # Table 1's baseline: no rest branch, no adversary
    branch: Literal["full", "light"] = "full"  # [unsaid] light: the first conv is 1x1, five times faster
    branch_widths: tuple[int, ...] = (512, 256, 256)  # [unsaid] the three convs before the code
    branch_norm: bool = False  # [unsaid] BatchNorm in the branches
    expression_size: int = 256  # [unsaid] length of the expression code
    rest_size: int = 256  # [unsaid] length of the rest code
    slope: float = 0.2  # [unsaid] of the leaky ReLUs
    dropout: float = 0.0  # [unsaid] before the two linear classifiers
    rest_stages: int = 0  # last stages of the trunk that the rest branches have of their own; 0: all shared (Fig. 1)
    code_norm: Literal["none", "batch", "unit"] = "none"  # what bounds the codes
    factors: tuple[str, ...] = ()  # known factors beside the expression: FACTOR or FACTOR:BRANCH (section 4)
    adversary: tuple[str, ...] = ("linear",)  # section 3: one linear classifier; several are a pool of linear, mlp
    decoder: Literal["auto", "none", "joint", "rest", "detached", "later"] = (
        "auto"  # auto: joint if beta1 > 0, else none
    )
    decoder_kind: Literal["deconv", "resize", "styled"] = "deconv"  # section 3: six deconvs
    decoder_width: int = 512  # [unsaid] channels of the first deconv, halved at each
    rest_map: int = 0  # channels of a rest code with places beside the rest vector
    rest_map_side: int = 8  # places of it in a row and a column
    rest_map_sight: Literal["around", "whole"] = "around"  # what it is made of: the middle of the face or not

    def __post_init__(self) -> None:
        _choices(self)
        _check(self, "size", 32 <= self.size <= 512, "32..512")
        _check(self, "branch_widths", len(self.branch_widths) == 3 and min(self.branch_widths) > 0, "three widths")
        _check(self, "expression_size", self.expression_size > 0, "positive")
        _check(self, "rest_size", self.rest_size > 0, "positive")
        _check(self, "slope", 0 <= self.slope < 1, "0 <= slope < 1")
        _check(self, "dropout", 0 <= self.dropout < 1, "0 <= dropout < 1")
        _check(self, "decoder_width", self.decoder_width >= 32, "at least 32")
        _check(self, "rest_map", self.rest_map >= 0, "0 or more")
        _check(self, "rest_map_side", self.rest_map_side in (8, 16), "8 or 16")
        _check(self, "rest_stages", self.rest_stages >= 0, "0 or more")
        kinds = self.adversary and set(self.adversary) <= {"linear", "mlp"}
        _check(self, "adversary", bool(kinds), "one or more of: linear, mlp")
        self._check_factors()
        if self.rest_map and (self.decoder, self.decoder_kind) != ("later", "styled"):
            raise ConfigError(
                f"--rest-map is {self.rest_map}: only a decoder that learns later, of the kind styled, reads a map",
                "add --decoder later --decoder-kind styled, or leave out --rest-map",
            )
        if self.baseline and self.decoder not in ("auto", "none"):
            raise ConfigError(
                f"decoder '{self.decoder}' needs the rest branch, which the baseline has not",
                "leave out --baseline or the decoder",
            )

    @property
    def owners(self) -> dict[str, str]:
        """The branch of each known factor, the expression's first; that of the identity is `rest` unless told."""
        named = (word.partition(":") for word in self.factors)
        return {"expression": "expression"} | {
            factor: branch or ("rest" if factor == "identity" else factor) for factor, _, branch in named
        }

    @property
    def branches(self) -> tuple[str, ...]:
        """Every branch by name: expression, rest, then those of further factors."""
        if self.baseline:
            return ("expression",)
        return tuple(dict.fromkeys(("expression", "rest", *self.owners.values())))

    def _check_factors(self) -> None:
        names = [word.partition(":")[0] for word in self.factors]
        plain = all(word.replace(":", "_").replace("-", "_").isidentifier() for word in self.factors)
        _check(self, "factors", plain and all(names), "names as in identity,yaw or identity:who")
        if len({*names, "expression"}) <= len(names) or len(set(self.owners.values())) < len(self.owners):
            raise ConfigError(
                f"--factors is {','.join(self.factors)}", "name each factor once, each with a branch of its own"
            )
        if {"trunk", "random", "erased_trunk"} & set(self.owners.values()):
            raise ConfigError("a branch is called as a code that is compared with it", "choose another FACTOR:BRANCH")
        if self.factors and self.baseline:
            raise ConfigError("--factors needs the branches that a baseline has not", "leave out one of both")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The two adversarial steps of section 2 and everything around them."""

    beta1: float = 0.0  # eq. 3: reconstruction
    beta2: float = 1.0  # eq. 3: expression
    beta3: float = 1.0  # eq. 3: adversary
    reconstruction: Literal["sum", "mean"] = "sum"  # eq. in section 2 is a squared norm: a sum over pixels
    epochs: int = 20  # [unsaid]
    batch: int = 64  # [unsaid]
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"  # [unsaid] adamw: weight decay apart from the gradient
    lr: float = 1e-4  # [unsaid] branches, expression head, decoder
    lr_trunk: float = 0.0  # [unsaid] 0: lr / 10 where the trunk has pretrained weights, else lr
    lr_adversary: float = 1e-3  # [unsaid]
    weight_decay: float = 1e-4  # [unsaid]
    schedule: Literal["cosine", "onecycle", "constant"] = "cosine"  # [unsaid]
    train_trunk: Literal["all", "last", "none"] = "all"  # [unsaid] last: only the last stage
    trunk_norm: Literal["auto", "eval", "train"] = "auto"  # [unsaid] auto: eval where weights are pretrained
    adversary_steps: int = 1  # [unsaid] adversary steps for each encoder step
    adversary_restart: int = 0  # epochs after which the adversaries begin anew; 0: never
    confusion: Literal["uniform", "prior", "reversal", "entropy", "hsic"] = "uniform"  # eq. 2: uniform
    warm_up: float = 0.0  # share of the run in which the adversaries learn and nobody heeds them yet
    ramp: float = 0.0  # share of the run, after the warm-up, in which beta3 rises to its value
    rest_gradient: float = 1.0  # share of the rest branches' gradient that reaches the shared trunk
    own_weight: float = 1.0  # of the losses that teach a branch its own further factor
    clean_weight: float = 1.0  # of the confusion about further factors, relative to beta3
    keep_embedding: float = 0.0  # of predicting the trunk's features, expression erased, from the rest code
    keep_picture: float = 0.0  # of predicting the face in 8 x 8 pixels, expression erased, from the rest code
    keep_variance: float = 0.0  # of the floor under the rest code's spread
    keep_apart: float = 0.0  # of the correlations between the rest code's numbers
    keep_directions: int = 0  # of the rest code, after erase: those that tell most of what it must keep; 0: all
    code_noise: float = 0.0  # deviation of the noise on the expression code while it learns
    erase: bool = False  # fold LEACE of the train split into the rest branch at the end
    draw_epochs: int = 10  # passes in which a `later` decoder learns to draw, the encoder finished
    draw_batch: int = 16  # faces a step of them: many small steps draw sooner than few large ones
    draw_warm_up: float = 0.0  # share of them in which faces are redrawn and not yet swapped
    draw_faces: str = ""  # another faces cache to learn to draw from; "": the one that the codes are learned from
    draw_pixels: float = 1.0  # of the absolute difference to the face itself
    draw_structure: float = 0.0  # of 1 - SSIM to the face itself
    draw_features: float = 0.0  # of the distance in the finished trunk's maps
    draw_swap: float = 0.0  # of the swapped face's expression, as the finished expression head reads it
    draw_codes: float = 0.0  # of the swapped face's codes, encoded again
    draw_back: float = 0.0  # of the face that is there again after swapping twice
    draw_stand_in: float = 0.0  # share of faces drawn with the expression code of another of that expression
    draw_truth: float = 0.0  # share of faces drawn as another of that person in that pose and light, where there is one
    draw_change: float = 0.0  # how much more pixels count in which those two differ
    draw_still: float = 0.0  # of the difference between the rest maps of those two
    draw_clean: float = 0.0  # of the confusion about the expression in the rest map
    draw_real: float = 0.0  # of passing as a real face of the wanted expression
    balance: Literal["sampler", "loss", "adversary", "none"] = "sampler"  # [unsaid] what makes classes equal
    draw_augment: Literal["none", "flip", "mild", "strong"] = "mild"  # as `augment`, of the faces that are drawn
    augment: Literal["none", "flip", "mild", "strong"] = "mild"  # [unsaid]
    label_smoothing: float = 0.0  # [unsaid] of the expression loss only
    teacher: tuple[str, ...] = ()  # run folders whose probabilities the expression head learns too
    teacher_share: float = 0.7  # of the expression loss that is theirs; the labels have the rest
    mixup: float = 0.0  # alpha of the Beta that blends faces with one another; 0: off
    average: float = 0.0  # decay of the running mean of the weights that is kept instead of the last; 0: off
    sharpness: float = 0.0  # radius in which the worst point is looked for (SAM), at twice the time; 0: off
    select: Literal["auto", "last", "best"] = "auto"  # auto: best on val where there is a test split too
    precision: Literal["32", "bf16", "16"] = "32"
    device: Device = "auto"
    devices: int = 1
    nodes: int = 1
    seed: int = 0
    checkpoint_minutes: float = 5.0
    compile: bool = False  # torch.compile: a slow first minute, then faster; needs a C++ compiler
    tensorboard: bool = False

    def __post_init__(self) -> None:
        _choices(self)
        weights = (
            "own_weight",
            "clean_weight",
            "keep_embedding",
            "keep_picture",
            "keep_variance",
            "keep_apart",
            "code_noise",
            "rest_gradient",
        )
        words = ("draw_faces", "draw_augment")
        draw = tuple(name for name in asdict(self) if name.startswith("draw_") and name not in words)
        others = ("lr_trunk", "weight_decay", "adversary_restart", "mixup", "sharpness")
        for name in ("beta1", "beta2", "beta3", *others, *weights, *draw):
            _check(self, name, getattr(self, name) >= 0, "0 or more")
        for name in ("lr", "lr_adversary", "checkpoint_minutes"):
            _check(self, name, getattr(self, name) > 0, "more than 0")
        for name in ("epochs", "adversary_steps", "devices", "nodes"):
            _check(self, name, getattr(self, name) >= 1, "at least 1")
        _check(self, "draw_epochs", self.draw_epochs >= 1, "at least 1")
        _check(self, "draw_batch", self.draw_batch >= 4, "at least 4")
        _check(self, "draw_warm_up", self.draw_warm_up <= 1, "0 <= share <= 1")
        _check(self, "draw_stand_in", self.draw_stand_in <= 1, "0 <= share <= 1")
        _check(self, "draw_truth", self.draw_truth <= 1, "0 <= share <= 1")
        _check(self, "batch", self.batch >= 2, "at least 2")
        _check(self, "keep_directions", self.keep_directions >= 0, "0 or more")
        if self.keep_directions and not (self.erase and (self.keep_picture or self.keep_embedding)):
            raise ConfigError(
                f"--keep-directions is {self.keep_directions}: of what the rest code must keep, where nothing is named",
                "add --erase and --keep-picture or --keep-embedding, or --keep-directions 0",
            )
        _check(self, "warm_up", 0 <= self.warm_up < 1, "0 <= share < 1")
        _check(self, "ramp", 0 <= self.ramp <= 1, "0 <= share <= 1")
        _check(self, "label_smoothing", 0 <= self.label_smoothing < 1, "0 <= smoothing < 1")
        _check(self, "teacher_share", 0 <= self.teacher_share <= 1, "0 <= share <= 1")
        _check(self, "average", 0 <= self.average < 1, "0 <= decay < 1")
        if self.mixup and (self.confusion in ("reversal", "hsic") or self.keep_embedding or self.keep_picture):
            raise ConfigError(
                "--mixup gives a face two labels; "
                "--confusion reversal, --confusion hsic, --keep-embedding and --keep-picture need one",
                "leave out one of both",
            )


@dataclass(frozen=True, kw_only=True)
class EvalConfig:
    """A trained run measured on one split of a faces cache."""

    split: Literal["train", "val", "test", "all"] = "val"
    batch: int = 128
    probes: Literal["all", "linear"] = "all"  # linear: without networks, neighbours and trees
    probe_rows: int = 10_000  # most rows that a fresh probe is trained on
    bootstrap: int = 1_000  # resamples over identities
    flip: bool = False  # every face also mirrored, codes and probabilities averaged
    device: Device = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        _choices(self)
        _check(self, "batch", self.batch >= 1, "at least 1")
        _check(self, "probe_rows", self.probe_rows >= 50, "at least 50")
        _check(self, "bootstrap", self.bootstrap >= 100, "at least 100")


@dataclass(frozen=True, kw_only=True)
class SwapEvalConfig:
    """The swaps of a trained run judged on one split of a faces cache."""

    split: Literal["train", "val", "test", "all"] = "test"
    faces_used: int = 1_500  # most faces that swaps are made of; of more, random ones are taken
    pairs: int = 1_000  # most swaps of a kind: across people, within one person
    one_setting: Literal["auto", "yes", "no"] = "auto"  # whether a person's photographs share pose and light
    shown: int = 24  # swaps on the contact sheet, the first of a random order
    batch: int = 64
    bootstrap: int = 1_000  # resamples over people
    device: Device = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        _choices(self)
        _check(self, "faces_used", self.faces_used >= 2, "at least 2")
        _check(self, "pairs", 1 <= self.pairs <= 5_000, "1..5000")
        _check(self, "shown", 1 <= self.shown <= 300, "1..300")
        _check(self, "batch", self.batch >= 1, "at least 1")
        _check(self, "bootstrap", self.bootstrap >= 100, "at least 100")


#: What a settings file may contain: one table a stage.
SECTIONS: dict[str, type] = {
    "align": AlignConfig,
    "model": ModelConfig,
    "train": TrainConfig,
    "eval": EvalConfig,
    "swap-eval": SwapEvalConfig,
}

Config = TypeVar("Config", AlignConfig, ModelConfig, TrainConfig, EvalConfig, SwapEvalConfig)


def read_settings(path: Path | None) -> dict[str, dict[str, Any]]:
    """The tables of a TOML settings file; none where `path` is None.

    Raises:
        InputError: The file is missing or is not TOML.
        ConfigError: It has a table that is no stage. Keys are checked by `resolve`.
    """
    if path is None:
        return {}
    tables = read_toml(path)
    for name, table in tables.items():
        if name not in SECTIONS:
            raise ConfigError(f"{path} has an unknown table [{name}]", _nearest(name, SECTIONS))
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: '{name}' is a key outside any table", "put it under [train] or [model]")
    return tables


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        InputError: The file is missing or is not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "name a TOML settings file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}", "see examples/paper.toml for the form") from error


def resolve(kind: type[Config], *layers: Mapping[str, Any]) -> Config:
    """A `kind` from layers of settings, later ones winning; None means not given.

    Raises:
        ConfigError: An unknown key (the nearest known one is named) or a value out of range.
    """
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if key not in hints:
                raise ConfigError(f"unknown setting '{key}'", _nearest(key, hints))
            if value is not None:
                values[key] = _convert(key, value, hints[key])
    return kind(**values)


def as_dict(config: Config) -> dict[str, Any]:
    """`config` in JSON's own types; `resolve(type(config), as_dict(config)) == config`."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(config).items()}


def _convert(key: str, value: Any, hint: Any) -> Any:
    """Accept 1 for 1.0 and a list, or words between commas, for a tuple; nothing else that is not of the type."""
    if get_origin(hint) is tuple and isinstance(value, (list, tuple)):
        return tuple(value)
    if hint == tuple[str, ...] and isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    expected = str if get_origin(hint) is Literal else hint
    if get_origin(hint) in (Union, UnionType):
        expected = get_args(hint)
    if not isinstance(value, expected) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"'{key}' is {value!r}", f"it must be of type {getattr(expected, '__name__', expected)}")
    return value


def _choices(config: Any) -> None:
    hints = get_type_hints(type(config))
    for field in fields(config):
        value = getattr(config, field.name)
        allowed = get_args(hints[field.name]) if get_origin(hints[field.name]) is Literal else None
        if allowed and value not in allowed:
            raise ConfigError(f"{_option(field.name)} is '{value}'", f"choose one of: {', '.join(allowed)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{_option(field.name)} is {value}", "give a finite number")


def _check(config: Any, name: str, holds: bool, wanted: str) -> None:
    if not holds:
        raise ConfigError(f"{_option(name)} is {getattr(config, name)}", f"it must be {wanted}")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"
