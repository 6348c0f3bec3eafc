"""Residual networks for small faces."""

from torch import Tensor, nn

from facedis.model.network.trunk import IMAGENET, Source, Trunk, fill

#: Channels of the first of the four stages; each stage doubles them.
_FULL = 64


class Block(nn.Module):
    """A residual block of two convolutions, with the tensor names of torchvision's `BasicBlock`."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        shortcut = None
        if stride > 1:
            shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut

    def forward(self, maps: Tensor) -> Tensor:
        """(B, after, H / stride, W / stride) of (B, before, H, W)."""
        shortcut = maps if self.downsample is None else self.downsample(maps)
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(maps))))) + shortcut)


def resnet18_half(source: Source) -> Trunk:
    """ResNet-18 with half the channels and a 3x3 stem without pooling: 256 channels, stride 16.

    Random weights only. Faces of 48 px should be enlarged to 96 px, as the stem halves the size.

    Source: He et al., Deep Residual Learning for Image Recognition, 2016, section 4.1.
    """
    return _trunk("resnet18_half", _FULL // 2, source)


def resnet18_faces(source: Source) -> Trunk:
    """`resnet18_half` with twice the channels: 512, stride 16."""
    return _trunk("resnet18_faces", _FULL, source)


def _trunk(name: str, first: int, source: Source) -> Trunk:
    widths = [first * 2**stage for stage in range(4)]
    stem = nn.Sequential(nn.Conv2d(3, first, 3, 2, 1, bias=False), nn.BatchNorm2d(first), nn.ReLU(inplace=True))
    stages = [_stage(before, after) for before, after in zip((first, *widths), widths, strict=False)]
    body = nn.Sequential(stem, *stages)
    # torch's default initialisation: BatchNorm removes the scale of the weights, and Adam changes small weights
    # relatively more. Kaiming initialisation costs two points on the rendered faces (mean of three seeds, same lr).
    return Trunk(body, *IMAGENET, fill(body, name, source, {}))


def _stage(before: int, after: int) -> nn.Sequential:
    """Two residual blocks; the first has stride 2 where it doubles the channels."""
    return nn.Sequential(Block(before, after, after // before), Block(after, after, 1))
