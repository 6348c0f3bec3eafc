"""The three networks of MTCNN with the weights that facenet-pytorch brings.

Defined here and not imported from there: that package imports torchvision, and torchvision half of
torch's compiler, which takes as long as torch itself and would be most of the wait for one photograph.
"""

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from facedis.errors import WeightsError


class PNet(nn.Module):
    """Proposes: slid over an image, a face or none for each 12 x 12 pixels; `pyramid.Pyramid` runs its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.conv4_1 = nn.Conv2d(32, 2, 1)  # no face, face
        self.conv4_2 = nn.Conv2d(32, 4, 1)  # where its edges lie


class RNet(nn.Module):
    """Refines: looks again at the proposals."""

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
        """(N, 4) offsets and (N, 2) chances of (N, 3, 24, 24) crops."""
        maps = self.pool1(self.prelu1(self.conv1(crops)))
        maps = self.pool2(self.prelu2(self.conv2(maps)))
        features = self.prelu4(self.dense4(_flatten(self.prelu3(self.conv3(maps)))))
        return self.dense5_2(features), self.dense5_1(features).softmax(1)


class ONet(nn.Module):
    """Puts out: decides, and finds the landmarks."""

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
        """(N, 4) offsets, (N, 10) landmarks and (N, 2) chances of (N, 3, 48, 48) crops."""
        maps = self.pool1(self.prelu1(self.conv1(crops)))
        maps = self.pool2(self.prelu2(self.conv2(maps)))
        maps = self.pool3(self.prelu3(self.conv3(maps)))
        features = self.prelu5(self.dense5(_flatten(self.prelu4(self.conv4(maps)))))
        return self.dense6_2(features), self.dense6_3(features), self.dense6_1(features).softmax(1)


def load_mtcnn_weights(net: nn.Module) -> nn.Module:
    """`net`, one of the three, filled from facenet-pytorch's file of its name.

    Raises:
        WeightsError: That package is not installed, or its file is not what it should be.
    """
    hint = "install it anew: pip install --force-reinstall --no-deps facenet-pytorch"
    package = find_spec("facenet_pytorch")
    if package is None:
        raise WeightsError("the package facenet-pytorch, which brings the weights of MTCNN, is missing", hint)
    path = Path(package.submodule_search_locations[0]) / "data" / f"{type(net).__name__.lower()}.pt"
    try:
        net.load_state_dict(torch.load(path, weights_only=True))
    except (OSError, RuntimeError) as error:
        raise WeightsError(f"{path} does not hold the weights of MTCNN: {error}", hint) from error
    return net


def _flatten(maps: Tensor) -> Tensor:
    """(N, W * H * C) of (N, C, H, W), in the order that the weights were made for."""
    return maps.permute(0, 3, 2, 1).flatten(1)
