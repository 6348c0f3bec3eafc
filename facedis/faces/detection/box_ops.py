"""Boxes between the stages of MTCNN: suppress, move, make square, clip. Conventions of the original included."""

import torch


def nms_over_smaller_area(
    boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, overlap: float
) -> torch.Tensor:
    """As `suppress.strongest`, but overlap is the intersection over the smaller box, pixels counted whole.

    So a box inside another one of the same image goes. Meant for the few boxes of the last stage.
    Squares that reach beyond a close-up on all sides look the same to the network: ties do occur.
    """
    order = scores.argsort(stable=True).flip(0)  # of equals the last, as the original does
    left, top, right, bottom = boxes[order].unbind(1)
    area = (right - left + 1) * (bottom - top + 1)
    wide = (torch.minimum(right[:, None], right) - torch.maximum(left[:, None], left) + 1).clamp_(min=0)
    tall = (torch.minimum(bottom[:, None], bottom) - torch.maximum(top[:, None], top) + 1).clamp_(min=0)
    covers = wide * tall / torch.minimum(area[:, None], area) > overlap
    covers &= groups[order][:, None] == groups[order]
    gone = [False] * len(order)
    kept = []
    for place, row in enumerate(covers.tolist()):
        if not gone[place]:
            kept.append(place)
            gone = [there or covered for there, covered in zip(gone, row, strict=True)]
    return order[kept]


def first_per_group(groups: torch.Tensor, most: int) -> torch.Tensor:
    """Rising indices of the first `most` members of each group."""
    order = groups.argsort(stable=True)
    first = torch.searchsorted(groups[order], groups[order])
    rank = torch.arange(len(groups), device=groups.device) - first
    return order[rank < most].sort().values


def regress_boxes(boxes: torch.Tensor, offsets: torch.Tensor, extra: int = 1) -> torch.Tensor:
    """(K, 4) boxes with each edge moved by its offset (K, 4), a share of the side plus `extra` pixels."""
    side = boxes[:, 2:] - boxes[:, :2] + extra  # K 2: width, height
    return boxes + offsets * side.repeat(1, 2)


def square_boxes(boxes: torch.Tensor) -> torch.Tensor:
    """(K, 4) squares with the centres and the longer sides of `boxes`."""
    side = boxes[:, 2:] - boxes[:, :2]
    longer = side.amax(1, keepdim=True)
    corner = boxes[:, :2] + side * 0.5 - longer * 0.5
    return torch.cat([corner, corner + longer], 1)


def clip_boxes(boxes: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
    """(K, 4) int64 pixels of `boxes` within images of (K, 2) width and height; may be empty.

    The original counts pixels from one; its first row and column are this function's row and
    column zero.
    """
    whole = boxes.trunc().long()
    return torch.cat([whole[:, :2].clamp(min=1) - 1, torch.minimum(whole[:, 2:], sizes)], 1)
