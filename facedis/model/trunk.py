"""The shared encoder En_base: any convolutional body that turns faces into a feature map.

A trunk plugin is a function `build(weights: str, offline: bool) -> Trunk`.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from facedis import plugins
from facedis.errors import ConfigError, WeightsError
from facedis.model.weights import Weights, fetch, load_state

AUTO, NONE = "auto", "none"


class Trunk(nn.Module):
    """A body cut before its pooling, with the input convention of its weights inside.

    Args:
        stages: Run one after the other, from images to the feature map.
        mean: Per channel, of images in [0, 1]; what the body's weights expect.
        std: Likewise.
        pretrained: Whether the weights come from a file.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, stages: nn.Sequential, mean: tuple[float, ...], std: tuple[float, ...], pretrained: bool):
        super().__init__()
        self.stages = stages
        self.pretrained = pretrained
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    @property
    def last_stage(self) -> nn.Module:
        """The stage that `train_trunk = "last"` leaves trainable."""
        return self.stages[-1]

    def forward(self, images: Tensor) -> Tensor:
        """The feature map of `images`.

        Args:
            images: (B, 3, S, S) in [0, 1].
        """
        return self.stages((images - self.mean) / self.std)  # (B, C, H, W)

    def map_shape(self, size: int) -> tuple[int, int, int]:
        """(C, H, W) of the feature map for faces of `size` pixels.

        Raises:
            ConfigError: The trunk cannot take faces that small.
        """
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                shape = self(torch.zeros(1, 3, size, size, device=self.mean.device)).shape
        except RuntimeError as error:
            raise ConfigError(f"--size {size} is too small for this trunk", "choose 96 or more") from error
        finally:
            self.train(training)
        return int(shape[1]), int(shape[2]), int(shape[3])


def build_trunk(name: str, weights: str, offline: bool = False) -> Trunk:
    """The trunk `name` of the registry with `weights`.

    Args:
        name: An entry point of `facedis.trunks`.
        weights: "auto" (the trunk's own pretrained weights), a name it knows, a file, or "none".
        offline: Refuse to download.

    Raises:
        ConfigError: No such trunk, or it has no weights of that name.
        WeightsError: The weights cannot be had or do not fit.
    """
    return plugins.named(plugins.TRUNKS, name)(weights, offline)


def fill(body: nn.Module, trunk: str, weights: str, known: dict[str, Weights], offline: bool) -> bool:
    """Load `weights` into `body`; False where "none" was asked for. Never silently random.

    Args:
        body: The network as its weights were saved.
        trunk: Its name, for messages.
        weights: As in `build_trunk`.
        known: Downloadable weights by name, the default first.
        offline: Refuse to download.

    Raises:
        ConfigError: `weights` is neither a known name nor a file.
        WeightsError: The file does not hold this network.
    """
    if weights == NONE:
        return False
    name = next(iter(known)) if weights == AUTO else weights
    if name in known:
        path = fetch(known[name], offline)
    elif Path(weights).is_file():
        path = Path(weights)
    else:
        raise ConfigError(
            f"trunk {trunk} has no weights '{weights}' and there is no such file",
            f"choose {', '.join(known)}, none, or the path of a file",
        )
    missing, _ = _load(body, load_state(path), path)
    lost = [key for key in missing if not key.endswith("num_batches_tracked")]
    if lost:
        raise WeightsError(f"{path} is not a {trunk}: it lacks {len(lost)} tensors, '{lost[0]}' first", _OTHER)
    return True


_OTHER = "name another file with --weights, or --weights none to start from random ones"


def _load(body: nn.Module, state: dict[str, Tensor], path: Path) -> tuple[list[str], list[str]]:
    """Keys of `body` that `state` lacks, and keys that it has too much (a classifier we have no use for)."""
    try:
        result = body.load_state_dict(state, strict=False)
    except RuntimeError as error:  # same names, other shapes
        first = str(error).strip().split("\n")[1].strip() if "\n" in str(error) else str(error)
        raise WeightsError(f"{path} does not fit the trunk: {first}", _OTHER) from error
    return result.missing_keys, result.unexpected_keys
