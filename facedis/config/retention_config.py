"""Settings of what the rest code retains, and of what is erased from it after training."""

from dataclasses import dataclass

from facedis.config.schema import Config, at_least, setting
from facedis.errors import ConfigError

_RETENTION = "Rest code"


@dataclass(frozen=True, kw_only=True)
class RetentionConfig(Config):
    """Table [retention]."""

    feature_retention_weight: float = setting(
        0.0,
        "Weight of the loss that predicts the trunk's features, expression erased, from the rest code.",
        group=_RETENTION,
        check=at_least(0),
        advanced=True,
    )
    lowres_retention_weight: float = setting(
        0.0,
        "Weight of the loss that predicts the face at 8 x 8 pixels, expression erased, from the rest code.",
        group=_RETENTION,
        check=at_least(0),
        advanced=True,
    )
    variance_weight: float = setting(
        0.0,
        "Weight of the loss that keeps the variance of each rest dimension above a threshold.",
        group=_RETENTION,
        check=at_least(0),
        advanced=True,
    )
    covariance_weight: float = setting(
        0.0,
        "Weight of the loss that decorrelates the dimensions of the rest code.",
        group=_RETENTION,
        check=at_least(0),
        advanced=True,
    )
    leace: bool = setting(False, "Erase the expression from the final rest code (LEACE).", group="Objective (eq. 1-3)")
    rest_rank: int = setting(
        0,
        "Rank of the rest code after erasure, by reduced-rank regression on its retention targets. 0: full.",
        group=_RETENTION,
        check=at_least(0),
        advanced=True,
    )
    expression_noise_std: float = setting(
        0.0,
        "Standard deviation of Gaussian noise on the expression code in training.",
        group=_RETENTION,
        check=at_least(0),
        advanced=True,
    )

    def check_combinations(self) -> None:
        """Raise ConfigError where two settings contradict each other."""
        targets = self.lowres_retention_weight or self.feature_retention_weight
        if self.rest_rank and not (self.leace and targets):
            raise ConfigError(
                f"--rest-rank is {self.rest_rank}, which needs erasure and a retention target",
                "add --leace and --lowres-retention-weight or --feature-retention-weight, or set --rest-rank 0",
            )
