"""Residual networks for small faces; they need nothing but torch."""

from torch import Tensor, nn

from facedis.model.network.trunk import IMAGENET, Source, Trunk, fill

#: Channels of the first of the four pairs of blocks; each pair doubles them.
_FULL = 64


class Block(nn.Module):
    """Two convolutions and a way around them; its tensors are called as in torchvision's `BasicBlock`."""

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
        around = maps if self.downsample is None else self.downsample(maps)
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(maps))))) + around)


def resnet18_half(source: Source) -> Trunk:
    """ResNet-18 with half its channels and a 3x3 stem without pooling, for small machines: 256 channels, a 16th.

    Random weights only. Faces of 48 px are best shown to it at 96: its stem halves what it gets.

    Source: He et al., Deep Residual Learning for Image Recognition, 2016, section 4.1.
    """
    return _trunk("resnet18_half", _FULL // 2, source)


def resnet18_faces(source: Source) -> Trunk:
    """`resnet18_half` with all channels: 512 of them, four times the work."""
    return _trunk("resnet18_faces", _FULL, source)


def _trunk(name: str, first: int, source: Source) -> Trunk:
    widths = [first * 2**stage for stage in range(4)]
    stem = nn.Sequential(nn.Conv2d(3, first, 3, 2, 1, bias=False), nn.BatchNorm2d(first), nn.ReLU(inplace=True))
    stages = [_stage(before, after) for before, after in zip((first, *widths), widths, strict=False)]
    body = nn.Sequential(stem, *stages)
    # torch's own small weights stay: BatchNorm takes their size away, and the smaller they are the further a step of
    # Adam turns them. He's larger ones cost two points on the rendered faces (mean of three seeds) at the same rate.
    return Trunk(body, *IMAGENET, fill(body, name, source, {}))


def _stage(before: int, after: int) -> nn.Sequential:
    """Two residual blocks; the first halves the map where it doubles the channels."""
    return nn.Sequential(Block(before, after, after // before), Block(after, after, 1))
