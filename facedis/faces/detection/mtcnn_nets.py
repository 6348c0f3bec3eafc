"""The three networks of MTCNN, with the weights distributed by facenet-pytorch.

They are not imported from facenet-pytorch because that package imports torchvision, which imports
torch's compiler and doubles the start-up time of a prediction.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from facedis.errors import WeightsError


class PNet(nn.Module):
    """Proposal network: classifies every 12 x 12 window of an image; `pyramid.Pyramid` runs its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.conv4_1 = nn.Conv2d(32, 2, 1)  # no face, face
        self.conv4_2 = nn.Conv2d(32, 4, 1)  # offsets of the edges


class RNet(nn.Module):
    """Refinement network: classifies the proposals."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 28, 3), nn.PReLU(28)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(28, 48, 3), nn.PReLU(48)
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv3, self.prelu3 = nn.Conv2d(48, 64, 2), nn.PReLU(64)
        self.dense4, self.prelu4 = nn.Linear(576, 128), nn.PReLU(128)
        self.dense5_1 = nn.Linear(128, 2)
        self.dense5_2 = nn.Linear(128, 4)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, 4) offsets and (N, 2) probabilities of (N, 3, 24, 24) crops."""
        maps = self.pool1(self.prelu1(self.conv1(crops)))
        maps = self.pool2(self.prelu2(self.conv2(maps)))
        features = self.prelu4(self.dense4(_flatten(self.prelu3(self.conv3(maps)))))
        return self.dense5_2(features), self.dense5_1(features).softmax(1)


class ONet(nn.Module):
    """Output network: classifies the refined boxes and locates the landmarks."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 32, 3), nn.PReLU(32)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(32, 64, 3), nn.PReLU(64)
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv3, self.prelu3 = nn.Conv2d(64, 64, 3), nn.PReLU(64)
        self.pool3 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.conv4, self.prelu4 = nn.Conv2d(64, 128, 2), nn.PReLU(128)
        self.dense5, self.prelu5 = nn.Linear(1152, 256), nn.PReLU(256)
        self.dense6_1 = nn.Linear(256, 2)
        self.dense6_2 = nn.Linear(256, 4)
        self.dense6_3 = nn.Linear(256, 10)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (N, 4) offsets, (N, 10) landmarks and (N, 2) probabilities of (N, 3, 48, 48) crops."""
        maps = self.pool1(self.prelu1(self.conv1(crops)))
        maps = self.pool2(self.prelu2(self.conv2(maps)))
        maps = self.pool3(self.prelu3(self.conv3(maps)))
        features = self.prelu5(self.dense5(_flatten(self.prelu4(self.conv4(maps)))))
        return self.dense6_2(features), self.dense6_3(features), self.dense6_1(features).softmax(1)


Net = TypeVar("Net", PNet, RNet, ONet)


def load_mtcnn_weights(net: Net) -> Net:
    """Load the weights of facenet-pytorch into one of the three networks.

    Raises:
        WeightsError: The package is not installed, or its weights do not fit.
    """
    hint = "reinstall it: pip install --force-reinstall --no-deps facenet-pytorch"
    package = find_spec("facenet_pytorch")
    if package is None or not package.submodule_search_locations:
        raise WeightsError("the package facenet-pytorch, which contains the weights of MTCNN, is not installed", hint)
    path = Path(package.submodule_search_locations[0]) / "data" / f"{type(net).__name__.lower()}.pt"
    try:
        net.load_state_dict(torch.load(path, weights_only=True))
    except (OSError, RuntimeError) as error:
        raise WeightsError(f"{path} does not hold the weights of MTCNN: {error}", hint) from error
    return net


def _flatten(maps: Tensor) -> Tensor:
    """Flatten (N, C, H, W) to (N, W * H * C), the order of the weights."""
    return maps.permute(0, 3, 2, 1).flatten(1)
