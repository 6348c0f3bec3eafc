"""Assignment of targets and expression donors within a batch."""

from typing import NamedTuple

import torch
from torch import Tensor


class DonorAssignment(NamedTuple):
    """For each face of a batch, the indices of other faces in the batch.

    Attributes:
        targets: (B,) the target of the reconstruction: the face itself, or another face of its scene.
        same_class_donors: (B,) donor of the expression code of the reconstruction; has the target's expression.
        donors: (B,) donor of the expression code of the swapped face.
    """

    targets: Tensor
    same_class_donors: Tensor
    donors: Tensor


def assign_donors(labels: Tensor, scene: Tensor, paired_prob: float, same_class_prob: float) -> DonorAssignment:
    """Draw targets and donors from torch's global generator.

    A donor has another expression than the face if the batch has one.

    Args:
        labels: (B,) expressions.
        scene: (B,) scenes, -1 for none.
        paired_prob: Probability of a target from the same scene with another expression, if there is one.
        same_class_prob: Probability of the expression code of another face with the target's expression, if there
            is one.
    """
    n, device = len(labels), labels.device
    chance, own = torch.rand(n, n, device=device), torch.arange(n, device=device)
    same, itself = labels[:, None] == labels[None], 9 * torch.eye(n, device=device)
    same_scene = (scene[:, None] == scene[None]) & (scene >= 0)
    donors = (chance + 2 * ~same).argmax(1)
    other = (chance + 2 * (same_scene & ~same)).argmax(1)
    paired = same_scene[own, other] & ~same[own, other] & (torch.rand(n, device=device) < paired_prob)
    targets = torch.where(paired, other, own)
    other = (torch.rand(n, n, device=device) + 2 * same[targets] - itself[targets]).argmax(1)
    replaced = (labels[other] == labels[targets]) & (torch.rand(n, device=device) < same_class_prob)
    return DonorAssignment(targets, torch.where(replaced, other, targets), donors)
