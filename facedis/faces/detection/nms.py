"""Non-maximum suppression by torchvision's operator, without the Python package around it.

`import torchvision` pulls in half of torch's compiler and takes as long as torch itself. The operator
lies in a library of its own, which torch can load directly.
"""

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import torch

#: Numbers up to which groups are kept apart by shifting them; with more, rounding and time count.
_MAX_SHIFTED = {"cpu": 4_000, "cuda": 100_000}


def batched_nms(boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, overlap: float) -> torch.Tensor:
    """Indices of the boxes that no stronger one of their group overlaps more, strongest first.

    Gives what `torchvision.ops.batched_nms` gives.

    Args:
        boxes: (K, 4) left, top, right, bottom.
        scores: (K,).
        groups: (K,) int64.
        overlap: Largest intersection over union that is left alone.
    """
    if not len(boxes):
        return torch.zeros(0, dtype=torch.long, device=boxes.device)
    if boxes.numel() <= _MAX_SHIFTED[boxes.device.type]:
        shift = groups.to(boxes) * (boxes.max() + 1)
        return torch.ops.torchvision.nms(boxes + shift[:, None], scores, overlap)
    kept = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    for group in groups.unique():
        members = torch.nonzero(groups == group).flatten()
        kept[members[torch.ops.torchvision.nms(boxes[members], scores[members], overlap)]] = True
    chosen = torch.nonzero(kept).flatten()
    return chosen[scores[chosen].argsort(descending=True)]


def _load_operator() -> None:
    """Make `torch.ops.torchvision.nms` known; where its library is not found, by the whole package."""
    for folder in getattr(find_spec("torchvision"), "submodule_search_locations", None) or ():
        for library in sorted(Path(folder).glob("_C*")):
            with suppress(OSError):  # a library of another version, or a part that loads only with the others
                torch.ops.load_library(str(library))
            if _is_registered():
                return
    import torchvision  # noqa: F401


def _is_registered() -> bool:
    return hasattr(torch.ops.torchvision, "nms")


_load_operator()
