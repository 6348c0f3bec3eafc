"""The shared encoder En_base: a convolutional network from faces to a feature map.

A trunk plugin is a function `build(source: Source) -> Trunk`.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from facedis import plugins, pretrained
from facedis.errors import ConfigError, WeightsError
from facedis.events import EventHandler, ignore_events
from facedis.model.storage.weights import Weights, fetch, load_state

AUTO, NONE = "auto", "none"
#: Mean and standard deviation per channel for weights trained on ImageNet.
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Source:
    """Where a trunk's weights come from.

    Attributes:
        weights: "auto" for the trunk's default pretrained weights, the name of other weights, the path of a file,
            a run folder, a packed model or the name of a bundled model, whose trunk is used, or "none" for random
            weights.
        offline: Do not download.
        handler: Receives the progress of a download.
    """

    weights: str
    offline: bool = False
    handler: EventHandler = ignore_events


class Trunk(nn.Module):
    """A network without its pooling and classifier, including the input normalisation of its weights.

    Args:
        stages: Applied one after the other, from images to the feature map.
        mean: Per channel, for images in [0, 1].
        std: Per channel, for images in [0, 1].
        pretrained: Whether the weights are pretrained.
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
        """The stage that `finetune = "last"` trains."""
        return self.stages[-1]

    def forward(self, images: Tensor) -> Tensor:
        """The feature map of `images`.

        Args:
            images: (B, 3, S, S) in [0, 1].
        """
        return self.split(images, 0)[1]  # (B, C, H, W)

    def split(self, images: Tensor, last: int) -> tuple[Tensor, Tensor]:
        """The map before the `last` stages, and the feature map.

        Args:
            images: (B, 3, S, S) in [0, 1].
            last: Number of stages; with 0, both maps are the feature map.
        """
        first = len(self.stages) - last
        before = self.stages[:first]((images - self.mean) / self.std)
        return before, self.stages[first:](before)

    def map_shape(self, size: int, last: int = 0) -> tuple[int, int, int]:
        """(C, H, W) of the feature map for faces of `size` pixels, or of the map before the `last` stages.

        Raises:
            ConfigError: The faces are too small for the trunk.
        """
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                shape = self.split(torch.zeros(1, 3, size, size, device=self.mean.device), last)[0].shape
        except RuntimeError as error:
            raise ConfigError(f"--image-size {size} is too small for this trunk", "choose 96 or more") from error
        finally:
            self.train(training)
        return int(shape[1]), int(shape[2]), int(shape[3])


def build_trunk(name: str, source: Source) -> Trunk:
    """The trunk `name` of the registry with the weights of `source`.

    Raises:
        ConfigError: There is no such trunk, or it has no weights of that name.
        WeightsError: The weights are not available or do not fit.
    """
    build = plugins.load_by_name(plugins.TRUNKS, name)
    folder = pretrained.model_dir(source.weights) or Path(source.weights)
    return _load_run_trunk(build(replace(source, weights=NONE)), folder) if folder.is_dir() else build(source)


def _load_run_trunk(trunk: Trunk, run: Path) -> Trunk:
    path, prefix = run / "model.safetensors", "model.trunk."
    if not path.is_file():
        raise WeightsError(f"{run} contains no trained model", "name another run, or a file of weights")
    state = {name.removeprefix(prefix): value for name, value in load_state(path).items() if name.startswith(prefix)}
    missing, _ = _load(trunk, state, path)
    if missing:
        raise WeightsError(f"{run} has a different trunk", "name the --trunk that it was trained with")
    trunk.pretrained = True
    return trunk


def fill(body: nn.Module, trunk: str, source: Source, known: dict[str, Weights]) -> bool:
    """Load the weights of `source` into `body`.

    Args:
        body: The network, with the tensor names of its weights.
        trunk: Its name, for messages.
        source: Which weights.
        known: Downloadable weights by name, the default first.

    Returns:
        False for random weights.

    Raises:
        ConfigError: `source` names neither known weights nor a file.
        WeightsError: The file does not fit the network.
    """
    if source.weights == NONE:
        return False
    if source.weights == AUTO and not known:
        raise ConfigError(f"trunk {trunk} has no pretrained weights", "add --weights none for random weights")
    name = next(iter(known)) if source.weights == AUTO else source.weights
    if name in known:
        path = fetch(known[name], source.offline, source.handler)
    elif Path(name).is_file():
        path = Path(name)
    else:
        raise ConfigError(
            f"trunk {trunk} has no weights '{name}' and there is no such file",
            f"choose {', '.join((*known, 'none'))}, a file, or the folder of a run",
        )
    missing, _ = _load(body, load_state(path), path)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing:
        raise WeightsError(f"{path} is not a {trunk}: it lacks {len(missing)} tensors, '{missing[0]}' first", _OTHER)
    return True


_OTHER = "name another file with --weights, or use --weights none for random weights"


def _load(body: nn.Module, state: dict[str, Tensor], path: Path) -> tuple[list[str], list[str]]:
    """Keys that `state` lacks, and keys that `body` lacks, such as those of a classifier."""
    try:
        result = body.load_state_dict(state, strict=False)
    except RuntimeError as error:  # same names, other shapes
        first = str(error).strip().split("\n")[1].strip() if "\n" in str(error) else str(error)
        raise WeightsError(f"{path} does not fit the trunk: {first}", _OTHER) from error
    return result.missing_keys, result.unexpected_keys
