"""Settings of the adversarial game between the rest branch and its adversaries."""

from dataclasses import dataclass
from typing import Literal

from facedis.config.schema import Config, at_least, below, between, more_than, setting

_ADVERSARY = "Adversary"


@dataclass(frozen=True, kw_only=True)
class AdversaryConfig(Config):
    """Table [adversary]."""

    adversary_steps: int = setting(  # [unspecified]
        1, "Adversary updates per encoder update.", group=_ADVERSARY, check=at_least(1), advanced=True
    )
    lr_adversary: float = setting(  # [unspecified]
        1e-3, "Learning rate of the adversaries.", group=_ADVERSARY, check=more_than(0), advanced=True
    )
    adversary_reset_every: int = setting(
        0, "Reinitialise the adversaries every N epochs. 0: never.", group=_ADVERSARY, check=at_least(0), advanced=True
    )
    confusion: Literal["uniform", "prior", "reversal", "entropy", "hsic"] = setting(  # eq. 2: uniform
        "uniform", "Confusion loss of the encoder against the adversaries.", group=_ADVERSARY, advanced=True
    )
    beta3_warmup: float = setting(
        0.0, "Fraction of the training with beta3 = 0.", group=_ADVERSARY, check=below(1), advanced=True
    )
    beta3_ramp: float = setting(
        0.0,
        "Fraction of the training, after the warm-up, in which beta3 rises linearly.",
        group=_ADVERSARY,
        check=between(0, 1),
        advanced=True,
    )
    rest_grad_scale: float = setting(
        1.0,
        "Scale of the rest branches' gradient into the shared trunk.",
        group=_ADVERSARY,
        check=at_least(0),
        advanced=True,
    )
    factor_weight: float = setting(
        1.0,
        "Weight of the classification losses of further factors.",
        group=_ADVERSARY,
        check=at_least(0),
        advanced=True,
    )
    factor_confusion_weight: float = setting(
        1.0,
        "Weight of the confusion losses of further factors, relative to beta3.",
        group=_ADVERSARY,
        check=at_least(0),
        advanced=True,
    )
