"""Settings of the training of a post-hoc decoder, after the encoder is finished."""

from dataclasses import dataclass
from typing import Literal

from facedis.config.schema import Config, at_least, between, setting

Augmentation = Literal["none", "flip", "mild", "strong"]
_POST_HOC = "Training of a post-hoc decoder"


@dataclass(frozen=True, kw_only=True)
class DecoderConfig(Config):
    """Table [decoder]. Swapped faces combine the rest code of one face with the expression code of another."""

    epochs: int = setting(10, "Number of epochs.", group=_POST_HOC, check=at_least(1), advanced=True)
    batch_size: int = setting(16, "Batch size.", group=_POST_HOC, check=at_least(4), advanced=True)
    faces: str = setting(
        "",
        "Faces cache to train the decoder on. Empty: that of the encoder.",
        group=_POST_HOC,
        advanced=True,
        metavar="CACHE",
    )
    augmentation: Augmentation = setting("mild", "Image augmentation.", group=_POST_HOC, advanced=True)
    warmup_fraction: float = setting(
        0.0, "Fraction of the training without swaps.", group=_POST_HOC, check=between(0, 1), advanced=True
    )
    l1_weight: float = setting(
        1.0, "Weight of the L1 reconstruction loss.", group=_POST_HOC, check=at_least(0), advanced=True
    )
    ssim_weight: float = setting(
        0.0, "Weight of the 1 - SSIM reconstruction loss.", group=_POST_HOC, check=at_least(0), advanced=True
    )
    perceptual_weight: float = setting(
        0.0, "Weight of the distance in the trunk's feature maps.", group=_POST_HOC, check=at_least(0), advanced=True
    )
    expression_weight: float = setting(
        0.0,
        "Weight of the expression classification loss on swapped faces.",
        group=_POST_HOC,
        check=at_least(0),
        advanced=True,
    )
    code_consistency_weight: float = setting(
        0.0,
        "Weight of the distance between the codes of a swapped face and the codes it was made from.",
        group=_POST_HOC,
        check=at_least(0),
        advanced=True,
    )
    cycle_weight: float = setting(
        0.0,
        "Weight of the reconstruction loss after swapping twice.",
        group=_POST_HOC,
        check=at_least(0),
        advanced=True,
    )
    same_class_prob: float = setting(
        0.0,
        "Probability of reconstructing a face with the expression code of another face of its class.",
        group=_POST_HOC,
        check=between(0, 1),
        advanced=True,
    )
    paired_prob: float = setting(
        0.0,
        "Probability of a target of the same person in the same pose and light with another expression.",
        group=_POST_HOC,
        check=between(0, 1),
        advanced=True,
    )
    change_weight: float = setting(
        0.0,
        "Extra weight of the pixels that differ between a face and its paired target.",
        group=_POST_HOC,
        check=at_least(0),
        advanced=True,
    )
    map_invariance_weight: float = setting(
        0.0,
        "Weight of the difference between the spatial rest codes of a face and its paired target.",
        group=_POST_HOC,
        check=at_least(0),
        advanced=True,
    )
    map_confusion_weight: float = setting(
        0.0,
        "Weight of the expression confusion loss on the spatial rest code.",
        group=_POST_HOC,
        check=at_least(0),
        advanced=True,
    )
    gan_weight: float = setting(
        0.0,
        "Weight of the adversarial (GAN) loss on swapped faces.",
        group=_POST_HOC,
        check=at_least(0),
        advanced=True,
    )
