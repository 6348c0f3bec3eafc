"""Loss functions on tensors, usable in any training loop."""

from facedis.model.losses.confusion import entropy_loss, hsic_loss, prior_loss, reversal_loss
from facedis.model.losses.image_losses import change_weights, hinge_loss, perceptual_loss
from facedis.model.losses.objective import (
    adversary_loss,
    confusion_loss,
    expression_loss,
    factor_loss,
    reconstruction_loss,
)
from facedis.model.losses.retention_losses import RetentionHead, covariance_loss, lowres_target, variance_loss

__all__ = [
    "RetentionHead",
    "adversary_loss",
    "change_weights",
    "confusion_loss",
    "covariance_loss",
    "entropy_loss",
    "expression_loss",
    "factor_loss",
    "hinge_loss",
    "hsic_loss",
    "lowres_target",
    "perceptual_loss",
    "prior_loss",
    "reconstruction_loss",
    "reversal_loss",
    "variance_loss",
]
