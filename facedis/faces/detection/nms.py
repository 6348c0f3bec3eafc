"""Non-maximum suppression by torchvision's operator, loaded without importing torchvision.

`torchvision.ops.batched_nms` gives the same result, but `import torchvision.ops` imports torch's
compiler and takes about as long as `import torch` itself (8.6 s after 9.0 s on a busy two-core
machine), which would double the start-up time of `facedis predict`. Loading the library of the
operator takes 0.02 s.
"""

from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import torch

#: Maximum number of coordinates for separating groups by shifting their boxes; above it, a loop over groups is used.
_MAX_SHIFTED = {"cpu": 4_000, "cuda": 100_000}


def batched_nms(boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, overlap: float) -> torch.Tensor:
    """Non-maximum suppression within groups; equivalent to `torchvision.ops.batched_nms`.

    Args:
        boxes: (K, 4) left, top, right, bottom.
        scores: (K,).
        groups: (K,) int64.
        overlap: Largest intersection over union that is kept.

    Returns:
        Indices of the kept boxes by descending score.
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
    """Register `torch.ops.torchvision.nms`; import torchvision if its library is not found."""
    for folder in getattr(find_spec("torchvision"), "submodule_search_locations", None) or ():
        for library in sorted(Path(folder).glob("_C*")):
            with suppress(OSError):  # not the library of the operator
                torch.ops.load_library(str(library))
            if _is_registered():
                return
    import_module("torchvision")


def _is_registered() -> bool:
    return hasattr(torch.ops.torchvision, "nms")


_load_operator()
