"""Inception-ResNet-V1, the paper's trunk, from facenet-pytorch."""

from facenet_pytorch import InceptionResnetV1
from torch import nn

from facedis.model.network.trunk import Source, Trunk, fill
from facedis.model.storage.weights import CASIA_WEBFACE, VGGFACE2

_STAGES = (
    *("conv2d_1a", "conv2d_2a", "conv2d_2b", "maxpool_3a", "conv2d_3b", "conv2d_4a", "conv2d_4b"),
    *("repeat_1", "mixed_6a", "repeat_2", "mixed_7a", "repeat_3", "block8"),
)


def inception_resnet_v1(source: Source) -> Trunk:
    """Inception-ResNet-V1 up to block8: 1792x3x3 for faces of 160 px, 2x2 for 112 and 128 px.

    Its weights expect inputs of (x - 127.5) / 128, and crops with a margin of about 32 of 160 px.

    Source: paper, section 3. The paper does not state the layer; D2AE uses the same one (docs/method.md).
    """
    body = InceptionResnetV1()
    pretrained = fill(body, "inception_resnet_v1", source, {w.name: w for w in (VGGFACE2, CASIA_WEBFACE)})
    stages = nn.Sequential(*(getattr(body, name) for name in _STAGES))
    return Trunk(stages, mean=(0.5,) * 3, std=(128 / 255,) * 3, pretrained=pretrained)
