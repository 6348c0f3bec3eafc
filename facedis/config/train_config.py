"""Settings of the training: the losses of section 2 and the optimisation.

Values from the paper are marked with their equation. [unspecified] marks values that the paper does not give;
docs/method.md explains how they were chosen.
"""

from dataclasses import dataclass, field
from typing import Literal

from facedis.config.adversary_config import AdversaryConfig
from facedis.config.decoder_config import Augmentation, DecoderConfig
from facedis.config.retention_config import RetentionConfig
from facedis.config.runtime_config import RuntimeConfig
from facedis.config.schema import Config, at_least, below, between, more_than, setting
from facedis.errors import ConfigError

_OBJECTIVE, _OPTIMISATION, _RECIPES = "Objective (eq. 1-3)", "Optimisation", "Training recipes"


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Config):
    """Table [train], with the tables [adversary], [retention], [decoder] and [runtime]."""

    beta1: float = setting(
        0.0,
        "Weight of the reconstruction loss. The paper's best value is 0.",
        group=_OBJECTIVE,
        check=at_least(0),
    )
    beta2: float = setting(1.0, "Weight of the expression classification loss.", group=_OBJECTIVE, check=at_least(0))
    beta3: float = setting(1.0, "Weight of the confusion loss of the rest branch.", group=_OBJECTIVE, check=at_least(0))
    reconstruction_reduction: Literal["sum", "mean"] = setting(  # section 2: a squared norm, a sum over pixels
        "sum", "Reduction of the reconstruction loss over pixels.", group=_OBJECTIVE, advanced=True
    )
    epochs: int = setting(20, "Number of epochs.", group=_OPTIMISATION, check=at_least(1))  # [unspecified]
    batch_size: int = setting(  # [unspecified]
        64, "Batch size of each process.", group=_OPTIMISATION, check=at_least(2)
    )
    optimizer: Literal["adam", "adamw", "sgd"] = setting(  # [unspecified]
        "adam", "Optimizer.", group=_OPTIMISATION, advanced=True
    )
    lr: float = setting(  # [unspecified]
        1e-4, "Learning rate; see also --lr-trunk, --lr-adversary.", group=_OPTIMISATION, check=more_than(0)
    )
    lr_trunk: float = setting(  # [unspecified]
        0.0,
        "Learning rate of the trunk. 0: lr, or lr / 10 if its weights are pretrained.",
        group=_OPTIMISATION,
        check=at_least(0),
        advanced=True,
    )
    weight_decay: float = setting(  # [unspecified]
        1e-4, "Weight decay of everything but the adversaries.", group=_OPTIMISATION, check=at_least(0), advanced=True
    )
    lr_schedule: Literal["cosine", "onecycle", "constant"] = setting(  # [unspecified]
        "cosine", "Learning rate schedule.", group=_OPTIMISATION, advanced=True
    )
    finetune: Literal["all", "last", "none"] = setting(  # [unspecified]
        "all", "Trainable part of the trunk: all stages, the last stage, or none.", group=_OPTIMISATION, advanced=True
    )
    trunk_bn: Literal["auto", "eval", "train"] = setting(  # [unspecified]
        "auto",
        "Mode of the trunk's BatchNorm. auto: eval if the weights are pretrained.",
        group=_OPTIMISATION,
        advanced=True,
    )
    class_balance: Literal["sampler", "loss", "adversary", "none"] = setting(  # [unspecified]
        "sampler",
        "Balance classes by sampler, loss, adversary loss or none.",
        group=_OPTIMISATION,
    )
    augmentation: Augmentation = setting(
        "mild", "Image augmentation: none, flip, mild or strong.", group=_OPTIMISATION
    )  # [unspecified]
    checkpoint_selection: Literal["auto", "last", "best"] = setting(
        "auto",
        "Which epoch to keep. auto: the best on the val split if there is a test split too, else the last.",
        group=_OPTIMISATION,
        advanced=True,
    )
    seed: int = setting(0, "Random seed of weights, sampling and augmentation.", group=_OPTIMISATION)
    label_smoothing: float = setting(  # [unspecified]
        0.0, "Label smoothing of the expression loss.", group=_RECIPES, check=below(1), advanced=True
    )
    teachers: tuple[str, ...] = setting(
        (), "Finished runs for distillation, as in runs/a,runs/b.", group=_RECIPES, advanced=True, metavar="RUNS"
    )
    distillation_weight: float = setting(
        0.7,
        "Fraction of the expression loss that is distillation from the teachers.",
        group=_RECIPES,
        check=between(0, 1),
        advanced=True,
    )
    mixup_alpha: float = setting(
        0.0, "Mixup parameter alpha. 0: no mixup.", group=_RECIPES, check=at_least(0), advanced=True
    )
    ema_decay: float = setting(
        0.0,
        "Decay of the exponential moving average of the weights. 0: no average.",
        group=_RECIPES,
        check=below(1),
        advanced=True,
    )
    sam_rho: float = setting(
        0.0,
        "Radius of sharpness-aware minimisation, which doubles the time. 0: off.",
        group=_RECIPES,
        check=at_least(0),
        advanced=True,
    )
    adversary: AdversaryConfig = field(default_factory=AdversaryConfig)
    retention: RetentionConfig = field(default_factory=RetentionConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    runtime: RuntimeConfig = field(default_factory=RuntimeConfig)

    def check_combinations(self) -> None:
        """Raise ConfigError where two settings contradict each other."""
        one_label = self.retention.feature_retention_weight or self.retention.lowres_retention_weight
        if self.mixup_alpha and (self.adversary.confusion in ("reversal", "hsic") or one_label):
            raise ConfigError(
                "--mixup-alpha gives images two labels, and --confusion reversal, --confusion hsic, "
                "--feature-retention-weight and --lowres-retention-weight need one",
                "leave out one of them",
            )
