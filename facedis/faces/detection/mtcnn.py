"""The detector `mtcnn`: the networks of facenet-pytorch in batches over images of any sizes.

Source: Zhang et al., Joint Face Detection and Alignment using Multitask Cascaded Convolutional
Networks, 2016. The detections and thresholds are those of `facenet_pytorch.MTCNN.detect`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from facedis.errors import ConfigError
from facedis.faces.detection.box_ops import (
    clip_boxes,
    first_per_group,
    nms_over_smaller_area,
    regress_boxes,
    square_boxes,
)
from facedis.faces.detection.detector import Detections
from facedis.faces.detection.integral_images import IntegralImageGroups
from facedis.faces.detection.mtcnn_nets import Net, ONet, PNet, RNet, load_mtcnn_weights
from facedis.faces.detection.nms import batched_nms
from facedis.faces.detection.pyramid import Pyramid, fold_normalisation
from facedis.faces.detection.single_core_pool import SingleCorePool

#: Minimum face probability of each stage.
THRESHOLDS = (0.6, 0.7, 0.7)
#: Maximum number of boxes per image after the first and the second stage.
MAX_BOXES = (1000, 300)
_INPUT_SIDES = (24, 48)


@dataclass(frozen=True, slots=True)
class _Boxes:
    """K boxes of a batch of images: (K,) int64 image, (K, 4) edges, (K,) scores."""

    image: torch.Tensor
    edges: torch.Tensor
    scores: torch.Tensor

    def take(self, which: torch.Tensor) -> "_Boxes":
        return _Boxes(self.image[which], self.edges[which], self.scores[which])


class Mtcnn:
    """Multitask cascaded networks: proposals on an image pyramid, refined by two networks.

    On a CPU, small batches of images are processed in parallel on one core each. On a GPU, batches
    are larger. "mps" runs on the CPU because Apple's GPU lacks required operations.
    """

    name = "mtcnn"

    def __init__(self, device: str = "auto", min_face_size: int = 20) -> None:
        """`min_face_size` is the smallest face to detect, in pixels.

        Raises:
            ConfigError: The device is "cuda" and no GPU is available.
        """
        self._device = _resolve_device(device)
        self._min_face_size = min_face_size
        on_cpu = self._device.type == "cpu"
        self._batch_size = 4 if on_cpu else 64
        self._crop_pixels = 75_000 if on_cpu else 16_000_000  # per pass
        self._pyramid = Pyramid(_load_frozen(PNet(), self._device), THRESHOLDS[0], 50_000 if on_cpu else 16_000_000)
        self._rnet = _fold_for_bytes(_load_frozen(RNet(), self._device))
        self._onet = _fold_for_bytes(_load_frozen(ONet(), self._device))
        self._pool = SingleCorePool(torch.get_num_threads() if on_cpu else 1)

    def detect(self, images: list[np.ndarray]) -> list[Detections]:
        """Detect the faces in each of `images`, (H, W, 3) uint8 RGB of any sizes."""
        batches = [images[first : first + self._batch_size] for first in range(0, len(images), self._batch_size)]
        return [faces for found in self._pool.map(self._detect, batches) for faces in found]

    @torch.inference_mode()
    def _detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        areas = IntegralImageGroups(images, self._device)
        boxes = self._run_rnet(areas, self._run_pnet(areas))
        boxes, points = self._run_onet(areas, boxes)
        image = boxes.image.cpu().numpy()
        columns = [values.cpu().numpy() for values in (boxes.edges, points, boxes.scores)]
        return [Detections(*(values[image == index] for values in columns)) for index in range(len(images))]

    def _run_pnet(self, areas: IntegralImageGroups) -> _Boxes:
        """Return squares around the proposals of P-Net."""
        found, images = [], []
        for indices, sums in areas.groups:
            candidates = self._pyramid.candidates(sums, self._min_face_size)
            found += candidates
            images += [indices[some.image] for some in candidates]
        if not found:
            return _no_boxes(self._device)
        boxes = _Boxes(
            torch.cat(images), *(torch.cat([getattr(some, name) for some in found]) for name in ("boxes", "scores"))
        )
        scale, offsets = (torch.cat([getattr(some, name) for some in found]) for name in ("scale", "offsets"))
        kept = batched_nms(boxes.edges, boxes.scores, boxes.image * 64 + scale, 0.5)
        kept = kept[batched_nms(boxes.edges[kept], boxes.scores[kept], boxes.image[kept], 0.7)]
        kept = kept[first_per_group(boxes.image[kept], MAX_BOXES[0])]
        boxes = boxes.take(kept)
        return _Boxes(boxes.image, square_boxes(regress_boxes(boxes.edges, offsets[kept], extra=0)), boxes.scores)

    def _run_rnet(self, areas: IntegralImageGroups, boxes: _Boxes) -> _Boxes:
        """Return squares around the boxes that R-Net accepts."""
        boxes, (offsets, probabilities) = self._run_on_crops(self._rnet, areas, boxes, _INPUT_SIDES[0])
        accepted = torch.nonzero(probabilities[:, 1] > THRESHOLDS[1]).flatten()
        boxes = _Boxes(boxes.image[accepted], boxes.edges[accepted], probabilities[accepted, 1])
        kept = batched_nms(boxes.edges, boxes.scores, boxes.image, 0.7)
        kept = kept[first_per_group(boxes.image[kept], MAX_BOXES[1])]
        boxes = boxes.take(kept)
        return _Boxes(boxes.image, square_boxes(regress_boxes(boxes.edges, offsets[accepted][kept])), boxes.scores)

    def _run_onet(self, areas: IntegralImageGroups, boxes: _Boxes) -> tuple[_Boxes, torch.Tensor]:
        """Return the faces that O-Net accepts and their (K, 5, 2) landmarks."""
        boxes, (offsets, positions, probabilities) = self._run_on_crops(self._onet, areas, boxes, _INPUT_SIDES[1])
        accepted = torch.nonzero(probabilities[:, 1] > THRESHOLDS[2]).flatten()
        boxes = _Boxes(boxes.image[accepted], boxes.edges[accepted], probabilities[accepted, 1])
        # O-Net outputs five x, then five y, as fractions of the square.
        positions = positions[accepted].unflatten(1, (2, 5)).transpose(1, 2)  # K 5 2
        corner, side = boxes.edges[:, None, :2], (boxes.edges[:, 2:] - boxes.edges[:, :2] + 1)[:, None]
        points = corner + side * positions - 1
        boxes = _Boxes(boxes.image, regress_boxes(boxes.edges, offsets[accepted]), boxes.scores)
        kept = nms_over_smaller_area(boxes.edges, boxes.scores, boxes.image, 0.7)
        return boxes.take(kept), points[kept]

    def _run_on_crops(
        self, net: nn.Module, areas: IntegralImageGroups, boxes: _Boxes, side: int
    ) -> tuple[_Boxes, tuple[torch.Tensor, ...]]:
        """Return the boxes that overlap their image, and the outputs of `net` for each."""
        pixels = clip_boxes(boxes.edges, areas.sizes[boxes.image])
        inside = torch.nonzero((pixels[:, 2:] > pixels[:, :2]).all(1)).flatten()
        boxes, pixels = boxes.take(inside), pixels[inside]
        if not len(inside):  # the networks need at least one crop
            return boxes, tuple(values[:0] for values in net(torch.zeros(1, 3, side, side, device=self._device)))
        outputs = []
        batch = self._crop_pixels // side**2
        for first in range(0, len(inside), batch):
            some = slice(first, first + batch)
            crops = areas.crops(boxes.image[some], pixels[some], side)
            outputs.append(net(crops.contiguous(memory_format=torch.channels_last)))
        return boxes, tuple(torch.cat(values) for values in zip(*outputs, strict=True))


def _no_boxes(device: torch.device) -> _Boxes:
    return _Boxes(
        torch.zeros(0, dtype=torch.long, device=device),
        torch.zeros(0, 4, device=device),
        torch.zeros(0, device=device),
    )


def _resolve_device(device: str) -> torch.device:
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise ConfigError("--device cuda: no CUDA device is available", "choose --device cpu")
    return torch.device("cuda" if available and device in ("auto", "cuda") else "cpu")


def _load_frozen(net: Net, device: torch.device) -> Net:
    return load_mtcnn_weights(net).eval().requires_grad_(False).to(device)


def _fold_for_bytes(net: RNet | ONet) -> nn.Module:
    """Adapt `net` to pixels in 0..255 and to the channels-last layout, the fastest for few channels."""
    weight, bias = fold_normalisation(net.conv1)
    net.conv1.weight, net.conv1.bias = (nn.Parameter(values, requires_grad=False) for values in (weight, bias))
    return net.to(memory_format=torch.channels_last)
