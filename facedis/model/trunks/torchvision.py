"""Trunks from torchvision without their pooling and classifier."""

import torchvision.models as zoo
from torch import nn

from facedis.model.network.trunk import IMAGENET, Source, Trunk, fill
from facedis.model.storage.weights import Weights


def resnet18(source: Source) -> Trunk:
    """ResNet-18 after layer4: 512 channels, stride 32."""
    body = zoo.resnet18(weights=None)
    pretrained = _fill(body, "resnet18", source, zoo.ResNet18_Weights.IMAGENET1K_V1)
    stem = nn.Sequential(body.conv1, body.bn1, body.relu, body.maxpool)
    return Trunk(nn.Sequential(stem, body.layer1, body.layer2, body.layer3, body.layer4), *IMAGENET, pretrained)


def mobilenet_v3_large(source: Source) -> Trunk:
    """MobileNetV3-Large after its last convolution: 960 channels, stride 32."""
    body = zoo.mobilenet_v3_large(weights=None)
    pretrained = _fill(body, "mobilenet_v3_large", source, zoo.MobileNet_V3_Large_Weights.IMAGENET1K_V2)
    return Trunk(body.features, *IMAGENET, pretrained)


def efficientnet_b0(source: Source) -> Trunk:
    """EfficientNet-B0 after its last convolution: 1280 channels, stride 32."""
    body = zoo.efficientnet_b0(weights=None)
    pretrained = _fill(body, "efficientnet_b0", source, zoo.EfficientNet_B0_Weights.IMAGENET1K_V1)
    return Trunk(body.features, *IMAGENET, pretrained)


def _fill(body: nn.Module, name: str, source: Source, published: zoo.WeightsEnum) -> bool:
    # torchvision's file names end in the first eight digits of the file's SHA-256.
    digest = published.url.rpartition("-")[2].partition(".")[0]
    return fill(body, name, source, {"imagenet": Weights(f"{name}-imagenet", published.url, digest)})
