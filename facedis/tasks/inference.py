"""Options for running a trained model on faces."""

from dataclasses import dataclass

from facedis.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class InferenceOptions:
    """How a model is run on faces.

    Attributes:
        device: "auto", "cpu", "cuda" or "mps".
        batch_size: Faces per step.
        crop: "box", "similarity" or "none" (the images are cropped faces); None for the crop of the training faces.

    Raises:
        ConfigError: `batch_size` is below 1.
    """

    device: str = "auto"
    batch_size: int = 128
    crop: str | None = None

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ConfigError(f"--batch-size is {self.batch_size}", "it must be at least 1")
