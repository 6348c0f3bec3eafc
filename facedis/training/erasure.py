"""The expression erased from a finished rest branch in closed form, folded into its last convolution.

Adversaries leave something behind. What a linear classifier could still read of the train split's
codes is removed exactly, by the least change that does it; the network keeps its form and its cost.
"""

from collections.abc import Iterator

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from facedis.events import Event, Listener
from facedis.faces.batches import prefetched
from facedis.measures.leace import leace
from facedis.model.branches import Branch
from facedis.model.disentangler import Disentangler
from facedis.training.augment import to_images
from facedis.training.data import TrainingData

BATCH = 128


def erase_expression(
    fabric: Fabric, model: Disentangler, data: TrainingData, size: int, listener: Listener
) -> None:
    """Change the rest branch of `model` so that the train split's classes have one mean in the rest code.

    Source: LEACE (see `facedis.measures.leace`), folded into the weights.
    """
    model.eval()
    codes = np.concatenate(list(_raw_codes(fabric, model, data, size, listener)))
    fold(model.rest_branch, *_affine(codes, data))


def _affine(codes: np.ndarray, data: TrainingData) -> tuple[np.ndarray, np.ndarray]:
    eraser = leace(codes, data.train_labels, len(data.classes))
    return np.eye(codes.shape[1]) - eraser.removal.T, eraser.removal.T @ eraser.centre


@torch.no_grad()
def fold(branch: Branch, matrix: np.ndarray, shift: np.ndarray) -> None:
    """Put the map z -> matrix z + shift behind a branch's last convolution, into its weights."""
    last = branch.layers[-1]
    assert isinstance(last, nn.Conv2d) and last.bias is not None
    m, s = (torch.from_numpy(part).to(last.weight.device, torch.float64) for part in (matrix, shift))
    last.bias.copy_(m @ last.bias.double() + s)
    last.weight.copy_((m @ last.weight.double().flatten(1)).view_as(last.weight))


@torch.inference_mode()
def _raw_codes(fabric: Fabric, model: Disentangler, data: TrainingData, size: int, listener: Listener) -> Iterator[np.ndarray]:
    """The rest codes of the train split before the bound that `code_norm` puts on them."""
    rows = data.train_rows
    listener(Event("start", "erasing the expression", total=len(rows)))
    starts = range(0, len(rows), BATCH)
    for number, (_, faces) in enumerate(prefetched(data.cache, [rows[start : start + BATCH] for start in starts])):
        images = to_images(torch.from_numpy(faces).to(fabric.device), size)
        shared, features = model.trunk.split(images, len(model.rest_stages) if model.rest_stages else 0)
        below = model.rest_stages(shared) if model.rest_stages else features
        yield model.rest_branch.layers(below).flatten(1).float().cpu().numpy()
        listener(Event("advance", "erasing the expression", done=min(len(rows), (number + 1) * BATCH)))
    listener(Event("end", "erasing the expression"))
