"""Area resizing by integral images, for many scales and crops of the same images.

The result equals `torch.nn.functional.interpolate(mode="area")`: an output pixel is the mean of the
input pixels that it overlaps.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch.nn.functional import interpolate

# Red, green and blue sums share one 64-bit integer. The sum over a rectangle is a difference of four
# prefix sums. These overflow, but their difference is exact if the sum of each colour over the
# rectangle fits its bit field, that is for rectangles of up to 8,224 pixels.
_FIELD_BITS = 21
_MASK = (1 << _FIELD_BITS) - 1
_MAX_AREA = _MASK // 255


class IntegralImages:
    """Prefix sums of B images of one size.

    Attributes:
        count: B.
        height: H in pixels.
        width: W in pixels.
    """

    def __init__(self, images: list[np.ndarray], device: torch.device) -> None:
        """`images` are (H, W, 3) uint8, all of one size."""
        self._images = [torch.from_numpy(np.array(image)).to(device) for image in images]  # H W 3 each
        self.count, (self.height, self.width, _) = len(images), images[0].shape
        sums = torch.zeros(self.count, self.height + 1, self.width + 1, dtype=torch.int64, device=device)
        for image, own in zip(self._images, sums, strict=True):  # one at a time to stay in the processor's cache
            red, green, blue = image.unbind(2)
            packed = (
                blue.to(torch.int64)
                .bitwise_left_shift_(_FIELD_BITS)
                .add_(green)
                .bitwise_left_shift_(_FIELD_BITS)
                .add_(red)
            )
            torch.cumsum(packed.cumsum_(1), 0, out=own[1:, 1:])
        self._sums = sums  # B H+1 W+1

    def resize(self, images: range, shape: tuple[int, int], rows: range, columns: range) -> torch.Tensor:
        """Resize the images to `shape` and return a part of the result.

        Args:
            images: Range of images.
            shape: (height, width) of the whole resized image in pixels.
            rows: Range of rows; rows beyond the last repeat it.
            columns: Range of columns, likewise.

        Returns:
            (len(images), 3, len(rows), len(columns)) float32, 0..255.
        """
        if _largest_window(self.height, shape[0]) * _largest_window(self.width, shape[1]) > _MAX_AREA:
            return self._resize_direct(images, shape, rows, columns)
        top, bottom = _bin_edges(self.height, shape[0], rows, self._sums.device)
        left, right = _bin_edges(self.width, shape[1], columns, self._sums.device)
        sums = self._sums[images.start : images.stop]
        bands = sums.index_select(1, bottom).sub_(sums.index_select(1, top))
        return _unpack_means(
            bands.index_select(2, right).sub_(bands.index_select(2, left)), (bottom - top)[:, None] * (right - left)
        )

    def crops(self, image: torch.Tensor, boxes: torch.Tensor, side: int) -> torch.Tensor:
        """Crop boxes and resize each to `side` x `side`.

        Args:
            image: (N,) int64, index of the image.
            boxes: (N, 4) int64 left, top, right, bottom, inside the image and not empty.
            side: Side in pixels.

        Returns:
            (N, 3, side, side) float32, 0..255.
        """
        left, top, right, bottom = boxes.unbind(1)
        steps = torch.arange(side, device=boxes.device)
        tall, wide = (bottom - top)[:, None], (right - left)[:, None]
        y0, y1 = top[:, None] + steps * tall // side, top[:, None] - (-(steps + 1) * tall) // side  # N side
        x0, x1 = left[:, None] + steps * wide // side, left[:, None] - (-(steps + 1) * wide) // side  # N side
        stride = self.width + 1
        flat = self._sums.view(-1)
        base = image[:, None] * (stride * (self.height + 1))
        upper, lower = (base + y0 * stride)[:, :, None], (base + y1 * stride)[:, :, None]  # N side 1
        x0, x1 = x0[:, None, :], x1[:, None, :]  # N 1 side
        sums = _gather(flat, lower + x1).sub_(_gather(flat, lower + x0))
        sums.sub_(_gather(flat, upper + x1)).add_(_gather(flat, upper + x0))  # N side side
        areas = (y1 - y0)[:, :, None] * (x1 - x0)
        means = _unpack_means(sums, areas)
        for n in torch.nonzero(areas.amax((1, 2)) > _MAX_AREA).flatten().tolist():
            means[n] = self._crop_direct(int(image[n]), boxes[n].tolist(), side)
        return means

    def _resize_direct(self, images: range, shape: tuple[int, int], rows: range, columns: range) -> torch.Tensor:
        selected = self._images[images.start : images.stop]
        resized = torch.cat(
            [interpolate(image[None].permute(0, 3, 1, 2).float(), shape, mode="area") for image in selected]
        )
        down, across = (_clamped_indices(*pair, resized.device) for pair in ((shape[0], rows), (shape[1], columns)))
        return resized.index_select(2, down).index_select(3, across)

    def _crop_direct(self, image: int, box: list[int], side: int) -> torch.Tensor:
        left, top, right, bottom = box
        part = self._images[image][top:bottom, left:right].permute(2, 0, 1)[None].float()
        return interpolate(part, (side, side), mode="area")[0]


class IntegralImageGroups:
    """Prefix sums of images of any sizes, grouped by size.

    Attributes:
        groups: (indices of the images, their `IntegralImages`) for each size.
        sizes: (B, 2) int64 width, height of each image.
    """

    def __init__(self, images: Sequence[np.ndarray], device: torch.device) -> None:
        """`images` are (H, W, 3) uint8."""
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for index, image in enumerate(images):
            by_shape.setdefault(image.shape, []).append(index)
        self.groups = [
            (torch.tensor(indices, device=device), IntegralImages([images[index] for index in indices], device))
            for indices in by_shape.values()
        ]
        self.sizes = torch.tensor([image.shape[1::-1] for image in images], device=device)

    def crops(self, image: torch.Tensor, boxes: torch.Tensor, side: int) -> torch.Tensor:
        """As `IntegralImages.crops`, over images of any sizes."""
        crops = torch.empty(len(boxes), 3, side, side, device=boxes.device)
        for indices, sums in self.groups:
            within = torch.full((len(self.sizes),), -1, device=boxes.device)
            within[indices] = torch.arange(len(indices), device=boxes.device)
            local = within[image]
            selected = torch.nonzero(local >= 0).flatten()
            if len(selected):
                crops[selected] = sums.crops(local[selected], boxes[selected], side)
        return crops


def _unpack_means(sums: torch.Tensor, areas: torch.Tensor) -> torch.Tensor:
    """Unpack (N, h, w) colour sums and divide by the areas: (N, 3, h, w) float32."""
    red, green, blue = sums & _MASK, (sums >> _FIELD_BITS) & _MASK, sums >> 2 * _FIELD_BITS
    colours = torch.stack([red.int(), green.int(), blue.int()], 1)  # N 3 h w
    return colours.float().mul_(areas.float().reciprocal_().unsqueeze(-3))


def _gather(values: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    return values.index_select(0, indices.view(-1)).view(indices.shape)  # four times as fast as values[indices]


@lru_cache(maxsize=1024)
def _bin_edges(length: int, parts: int, which: range, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first and one past the last input pixel of the output pixels `which` of `parts`."""
    steps = _clamped_indices(parts, which, device)
    return steps * length // parts, -(-(steps + 1) * length // parts)


def _clamped_indices(parts: int, which: range, device: torch.device) -> torch.Tensor:
    return torch.arange(which.start, which.stop, device=device).clamp_(max=parts - 1)


def _largest_window(length: int, parts: int) -> int:
    return -(-length // parts) + 1
