"""Small trunks from torchvision, for small machines: cut before their pooling."""

import torchvision.models as zoo
from torch import nn
from torchvision.models.resnet import BasicBlock

from facedis.model.trunk import Source, Trunk, fill
from facedis.model.weights import Weights

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def resnet18(source: Source) -> Trunk:
    """ResNet-18 after layer4: 512 channels, a 32nd of the size."""
    body = zoo.resnet18(weights=None)
    pretrained = _fill(body, "resnet18", source, zoo.ResNet18_Weights.IMAGENET1K_V1)
    stem = nn.Sequential(body.conv1, body.bn1, body.relu, body.maxpool)
    return Trunk(nn.Sequential(stem, body.layer1, body.layer2, body.layer3, body.layer4), _MEAN, _STD, pretrained)


def resnet18_half(source: Source) -> Trunk:
    """ResNet-18 with half its channels and a 3x3 stem without pooling, for small faces: 256 channels, a 16th.

    Random weights only. Faces of 48 px are best shown to it at 96: its stem halves what it gets.
    """
    widths = (32, 64, 128, 256)
    stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True))
    stages = [_blocks(before, after) for before, after in zip((32, *widths), widths, strict=False)]
    body = nn.Sequential(stem, *stages)
    for layer in body.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return Trunk(body, _MEAN, _STD, fill(body, "resnet18_half", source, {}))


def _blocks(before: int, after: int) -> nn.Sequential:
    """Two residual blocks; the first halves the map where it doubles the channels."""
    stride, shortcut = after // before, None
    if stride > 1:
        shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
    return nn.Sequential(BasicBlock(before, after, stride, shortcut), BasicBlock(after, after))


def mobilenet_v3_large(source: Source) -> Trunk:
    """MobileNetV3-Large after its last convolution: 960 channels, a 32nd of the size."""
    body = zoo.mobilenet_v3_large(weights=None)
    pretrained = _fill(body, "mobilenet_v3_large", source, zoo.MobileNet_V3_Large_Weights.IMAGENET1K_V2)
    return Trunk(body.features, _MEAN, _STD, pretrained)


def efficientnet_b0(source: Source) -> Trunk:
    """EfficientNet-B0 after its last convolution: 1280 channels, a 32nd of the size."""
    body = zoo.efficientnet_b0(weights=None)
    pretrained = _fill(body, "efficientnet_b0", source, zoo.EfficientNet_B0_Weights.IMAGENET1K_V1)
    return Trunk(body.features, _MEAN, _STD, pretrained)


def _fill(body: nn.Module, name: str, source: Source, published: zoo.WeightsEnum) -> bool:
    # torchvision's file names end in the first eight digits of the file's SHA-256.
    digest = published.url.rpartition("-")[2].partition(".")[0]
    return fill(body, name, source, {"imagenet": Weights(f"{name}-imagenet", published.url, digest)})
