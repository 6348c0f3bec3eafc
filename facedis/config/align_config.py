"""Settings of `facedis align`: from images on disk to a faces cache."""

from dataclasses import dataclass
from typing import Literal

from facedis.config.schema import Config, Device, at_least, below, setting
from facedis.errors import ConfigError

Crop = Literal["box", "similarity", "none"]

#: Side of a face in pixels where nothing else is asked for; what the VGGFace2 weights were trained on.
FACE_SIZE = 160

_FACES, _SPLITS = "Detection and cropping", "Train, validation and test split"


@dataclass(frozen=True, kw_only=True)
class AlignConfig(Config):
    """Table [align]."""

    dataset: str = setting(
        "auto",
        "Dataset reader, with options after a colon, as in ckplus:classes=7,fold=0. auto: detected from the folder.",
    )
    crop: Literal["auto", "box", "similarity", "none"] = setting(
        "auto",
        "box: detected box plus margin. similarity: rotated and scaled by five landmarks. none: the images are "
        "cropped faces. auto: none where the dataset has cropped faces, else box.",
        group=_FACES,
    )
    image_size: int = setting(
        0,
        f"Side of a face in pixels. 0: {FACE_SIZE}, or the images' own size with --crop none.",
        group=_FACES,
    )
    margin: float = setting(
        32.0, "Margin around the box, in pixels of a 160 px crop.", group=_FACES, check=below(FACE_SIZE)
    )
    detector: str = setting(
        "mtcnn", "mtcnn, mtcnn-tf (extra), annotations (the dataset's boxes), none, or a plugin.", group=_FACES
    )
    min_face_size: int = setting(
        20, "Side of the smallest face to detect, in pixels of the photograph.", group=_FACES, check=at_least(12)
    )
    no_face: Literal["skip", "full-image"] = setting(
        "skip", "What to do with an image without a detected face.", group=_FACES
    )
    multiple_faces: Literal["largest", "central", "most-certain"] = setting(
        "largest", "Which face to take if an image has several.", group=_FACES
    )
    val_fraction: float = setting(
        0.1,
        "Fraction of the identities in the validation split, for datasets without a split.",
        group=_SPLITS,
        check=below(1),
    )
    test_fraction: float = setting(
        0.1,
        "Fraction of the identities in the test split, for datasets without a split.",
        group=_SPLITS,
        check=below(1),
    )
    seed: int = setting(0, "Random seed of the train/val/test split.", group=_SPLITS)
    workers: int = setting(2, "Threads that decode images.", check=at_least(1))
    device: Device = setting("auto", "Device of the detector.")

    def check_combinations(self) -> None:
        """Raise ConfigError where two settings contradict each other."""
        if self.detector == "none" and self.crop not in ("auto", "none"):
            raise ConfigError(f"--crop {self.crop} needs a detector, and --detector is none", "leave out one of them")
        if self.image_size and not 16 <= self.image_size <= 1024:
            raise ConfigError(f"--image-size is {self.image_size}", "it must be 0 or between 16 and 1024")
        if self.val_fraction + self.test_fraction >= 1:
            raise ConfigError(
                f"--val-fraction and --test-fraction add up to {self.val_fraction + self.test_fraction:g}",
                "their sum must be less than 1",
            )
