"""First stage of MTCNN: P-Net on an image pyramid."""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import conv2d, linear, prelu

from facedis.faces.detection.integral_images import IntegralImages
from facedis.faces.detection.mtcnn_nets import PNet

#: Window size and stride of P-Net in pixels.
CELL, STRIDE = 12, 2
#: Ratio between consecutive scales.
SCALE_FACTOR = 0.709
#: Maximum number of candidates per image and pass; photographs have far fewer.
MAX_CANDIDATES = 2000


@dataclass(frozen=True, slots=True)
class Candidates:
    """K face candidates of P-Net.

    Attributes:
        image: (K,) int64, index of the image.
        scale: (K,) int64, index of the scale.
        boxes: (K, 4) float32 left, top, right, bottom in pixels of the image.
        scores: (K,) float32 probability.
        offsets: (K, 4) float32 offsets of the edges, as fractions of the sides.
    """

    image: torch.Tensor
    scale: torch.Tensor
    boxes: torch.Tensor
    scores: torch.Tensor
    offsets: torch.Tensor


def pyramid_scales(height: int, width: int, min_face_size: int) -> list[float]:
    """Return the scales at which faces of `min_face_size` pixels or more have `CELL` pixels."""
    scales, scale = [], CELL / min_face_size
    shorter = min(height, width) * scale
    while shorter >= CELL:
        scales.append(scale)
        scale *= SCALE_FACTOR
        shorter *= SCALE_FACTOR
    return scales


class Pyramid:
    """P-Net rearranged for speed; the result is unchanged.

    The normalisation of the pixels is folded into the first convolution. This convolution computes
    the four positions of each pooling window as four sets of channels, so that pooling is a maximum
    over channels. Large scales are processed in stripes and small ones in batches of images, so
    that the feature maps of one pass fit into the processor's cache.
    """

    def __init__(self, pnet: PNet, threshold: float, pass_pixels: int) -> None:
        """Rearrange the layers of `pnet`; one pass processes at most `pass_pixels` pixels."""
        self._pass_pixels = pass_pixels
        self._min_logit = math.log(threshold / (1 - threshold))
        weight, bias = fold_normalisation(pnet.conv1)
        channels = weight.shape[0]
        fourfold = weight.new_zeros(2, 2, channels, 3, 4, 4)
        for down in range(2):
            for across in range(2):
                fourfold[down, across, :, :, down : down + 3, across : across + 3] = weight
        self._conv1 = fourfold.flatten(0, 2), bias.repeat(4)
        self._slope1 = pnet.prelu1.weight.detach().repeat(4)
        self._conv2 = _channels_last(pnet.conv2)
        self._slope2 = pnet.prelu2.weight.detach()
        self._conv3 = _channels_last(pnet.conv3)
        self._slope3 = pnet.prelu3.weight.detach()
        logits, logit_bias = pnet.conv4_1.weight.detach().flatten(1), _bias(pnet.conv4_1)
        self._logit = logits[1] - logits[0], logit_bias[1] - logit_bias[0]
        self._offsets = pnet.conv4_2.weight.detach().flatten(1), _bias(pnet.conv4_2)

    def candidates(self, sums: IntegralImages, min_face_size: int) -> list[Candidates]:
        """Return the candidates of every pass over every scale."""
        found = []
        for number, scale in enumerate(pyramid_scales(sums.height, sums.width, min_face_size)):
            height, width = int(sums.height * scale + 1), int(sums.width * scale + 1)
            down, across = (math.ceil((side - 2) / 2) - 4 for side in (height, width))  # windows
            if down < 1 or across < 1:
                continue
            columns = range(0, STRIDE * across + CELL - STRIDE)
            stripe = max(self._pass_pixels // (STRIDE * len(columns)), 16)
            together = max(self._pass_pixels // (height * width), 1)
            for first in range(0, sums.count, together):
                images = range(first, min(first + together, sums.count))
                for top in range(0, down, stripe):
                    bottom = min(top + stripe, down)
                    rows = range(STRIDE * top, STRIDE * bottom + CELL - STRIDE)
                    pixels = sums.resize(images, (height, width), rows, columns)
                    features = self._features(pixels, rows.stop > height, columns.stop > width)
                    found.append(self._select(features, (first, top), number, scale))
        return found

    def _features(self, pixels: torch.Tensor, row_beyond: bool, column_beyond: bool) -> torch.Tensor:
        """Compute (B, down, across, 32) features of (B, 3, H, W) pixels whose last row or column may be padding."""
        maps = prelu(conv2d(pixels, *self._conv1, stride=2), self._slope1)
        windows = maps.unflatten(1, (2, 2, -1))  # B 2 2 C H/2 W/2
        if row_beyond:
            windows[:, 1, :, :, -1] = windows[:, 0, :, :, -1]
        if column_beyond:
            windows[:, :, 1, :, :, -1] = windows[:, :, 0, :, :, -1]
        upper, lower = (torch.maximum(*row.unbind(1)) for row in windows.unbind(1))
        pooled = torch.maximum(upper, lower).contiguous(memory_format=torch.channels_last)
        maps = prelu(conv2d(pooled, *self._conv2), self._slope2)
        maps = prelu(conv2d(maps, *self._conv3), self._slope3)
        return maps.permute(0, 2, 3, 1)

    def _select(self, features: torch.Tensor, origin: tuple[int, int], number: int, scale: float) -> Candidates:
        """Select the candidates of one pass, whose first image and row are `origin`."""
        weight, bias = self._logit
        logits = torch.matmul(features, weight).add_(bias)  # B down across
        chosen = torch.nonzero(logits >= self._min_logit)  # K 3
        most = MAX_CANDIDATES * len(features)
        if len(chosen) > most:
            chosen = chosen[logits[chosen.unbind(1)].topk(most).indices.sort().values]
        image, row, column = chosen.unbind(1)
        corner = torch.stack([column, row + origin[1]], 1).float() * STRIDE
        boxes = torch.cat([((corner + 1) / scale).floor(), ((corner + CELL) / scale).floor()], 1)
        return Candidates(
            image + origin[0],
            torch.full_like(image, number),
            boxes,
            logits[image, row, column].sigmoid(),
            linear(features[image, row, column], *self._offsets),
        )


def fold_normalisation(conv: nn.Conv2d) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weight and bias that give for pixels in 0..255 what `conv` gives for (pixels - 127.5) / 128."""
    weight = conv.weight.detach() / 128
    return weight, _bias(conv) - weight.sum((1, 2, 3)) * 127.5


def _channels_last(conv: nn.Conv2d) -> tuple[torch.Tensor, torch.Tensor]:
    return conv.weight.detach().contiguous(memory_format=torch.channels_last), _bias(conv)


def _bias(conv: nn.Conv2d) -> torch.Tensor:
    assert conv.bias is not None
    return conv.bias.detach()
