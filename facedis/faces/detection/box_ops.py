"""Box operations between the stages of MTCNN, with the conventions of the original implementation."""

import torch


def nms_over_smaller_area(
    boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, overlap: float
) -> torch.Tensor:
    """Non-maximum suppression by the intersection over the area of the smaller box.

    A box inside a box of the same group with a higher score is removed. The cost is quadratic in
    the number of boxes. Equal scores occur for squares that extend beyond the image on all sides.

    Args:
        boxes: (K, 4) left, top, right, bottom, both ends inclusive.
        scores: (K,).
        groups: (K,) int64; only boxes of one group suppress each other.
        overlap: Largest overlap that is kept.

    Returns:
        Indices of the kept boxes by descending score.
    """
    order = scores.argsort(stable=True).flip(0)  # ties in reverse order, as in the original
    left, top, right, bottom = boxes[order].unbind(1)
    area = (right - left + 1) * (bottom - top + 1)
    wide = (torch.minimum(right[:, None], right) - torch.maximum(left[:, None], left) + 1).clamp_(min=0)
    tall = (torch.minimum(bottom[:, None], bottom) - torch.maximum(top[:, None], top) + 1).clamp_(min=0)
    covers = wide * tall / torch.minimum(area[:, None], area) > overlap
    covers &= groups[order][:, None] == groups[order]
    removed = [False] * len(order)
    kept = []
    for index, row in enumerate(covers.tolist()):
        if not removed[index]:
            kept.append(index)
            removed = [before or covered for before, covered in zip(removed, row, strict=True)]
    return order[kept]


def first_per_group(groups: torch.Tensor, n: int) -> torch.Tensor:
    """Return the indices of the first `n` members of each group in ascending order."""
    order = groups.argsort(stable=True)
    first = torch.searchsorted(groups[order], groups[order])
    rank = torch.arange(len(groups), device=groups.device) - first
    return order[rank < n].sort().values


def regress_boxes(boxes: torch.Tensor, offsets: torch.Tensor, extra: int = 1) -> torch.Tensor:
    """Move the edges of (K, 4) boxes by (K, 4) offsets, given as fractions of the side plus `extra` pixels."""
    side = boxes[:, 2:] - boxes[:, :2] + extra  # K 2: width, height
    return boxes + offsets * side.repeat(1, 2)


def square_boxes(boxes: torch.Tensor) -> torch.Tensor:
    """Return (K, 4) squares with the centres and the longer sides of `boxes`."""
    side = boxes[:, 2:] - boxes[:, :2]
    longer = side.amax(1, keepdim=True)
    corner = boxes[:, :2] + side * 0.5 - longer * 0.5
    return torch.cat([corner, corner + longer], 1)


def clip_boxes(boxes: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
    """Clip `boxes` to images of (K, 2) width and height and return (K, 4) int64 pixels.

    The result may be empty. The original counts pixels from 1, this function from 0.
    """
    pixels = boxes.trunc().long()
    return torch.cat([pixels[:, :2].clamp(min=1) - 1, torch.minimum(pixels[:, 2:], sizes)], 1)
