"""What is taken from a finished rest code in closed form, folded into its branch's last convolution.

Adversaries leave something behind. What a linear classifier could still read of the train split's
codes is removed exactly, by the least change that does it. Where a code must keep something that is known, all
directions that tell nothing of it may go too: nobody asked for what is in them, and nearest neighbours
find the expression there. The network keeps its form and its cost.
"""

from collections.abc import Iterator

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from facedis.events import EventHandler, track
from facedis.faces.cache.loader import prefetch_batches
from facedis.metrics.erasure.leace import fit_leace
from facedis.metrics.erasure.reduced_rank import reduced_rank_basis
from facedis.model.losses.retention_losses import lowres_target
from facedis.model.network.branches import Branch
from facedis.model.network.disentangler import Disentangler
from facedis.training.data import TrainingData
from facedis.training.recipes.augmentation import to_images

BATCH = 128


def erase_expression(
    fabric: Fabric, model: Disentangler, data: TrainingData, size: int, handler: EventHandler, directions: int = 0
) -> None:
    """Change the rest branch of `model` so that the train split's classes have one mean in the rest code.

    Args:
        fabric: The device.
        model: Finished; a keeper is there where `directions` is given.
        data: The faces.
        size: Side of the input.
        handler: Told of the progress.
        directions: How many directions of the code stay: those that tell most of what it must keep; 0: all.

    Source: LEACE (see `facedis.metrics.erasure.leace`), folded into the weights.
    """
    model.eval()
    codes, targets = (
        np.concatenate(part) for part in zip(*_unbounded_codes(fabric, model, data, size, handler), strict=True)
    )
    eraser = fit_leace(codes, data.train_labels, len(data.classes))
    fold_affine(model.rest_branch, np.eye(codes.shape[1]) - eraser.projection.T, eraser.projection.T @ eraser.mean)
    if directions:
        fold_affine(model.rest_branch, *_pruned(eraser.erase(codes), targets, data.train_labels, directions))


def _pruned(codes: np.ndarray, targets: np.ndarray, labels: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The affine map that leaves of (m, D) codes the `n` directions that tell most of (m, T) targets."""
    codes, targets = codes.astype(np.float64), targets.astype(np.float64)
    for label in np.unique(labels):  # as far as they do not tell the expression
        targets[labels == label] -= targets[labels == label].mean(axis=0)
    targets /= np.maximum(targets.std(axis=0), 1e-6)
    centre, spread = codes.mean(axis=0), np.maximum(codes.std(axis=0), 1e-6)
    basis = reduced_rank_basis((codes - centre) / spread, targets, n)
    matrix = (basis @ basis.T) * spread[:, None] / spread
    return matrix, centre - matrix @ centre


@torch.no_grad()
def fold_affine(branch: Branch, matrix: np.ndarray, shift: np.ndarray) -> None:
    """Put the map z -> matrix z + shift behind a branch's last convolution, into its weights."""
    last = branch.layers[-1]
    assert isinstance(last, nn.Conv2d) and last.bias is not None
    m, s = (torch.from_numpy(part).to(last.weight.device, torch.float64) for part in (matrix, shift))
    last.bias.copy_(m @ last.bias.double() + s)
    last.weight.copy_((m @ last.weight.double().flatten(1)).view_as(last.weight))


@torch.inference_mode()
def _unbounded_codes(
    fabric: Fabric, model: Disentangler, data: TrainingData, size: int, handler: EventHandler
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The rest codes of the train split before the bound that `code_norm` puts on them, and what they must keep."""
    rows = data.train_rows
    with track(handler, "erasing the expression", len(rows)) as progress:
        starts = range(0, len(rows), BATCH)
        for _, faces in prefetch_batches(data.cache, [rows[start : start + BATCH] for start in starts]):
            images = to_images(torch.from_numpy(faces).to(fabric.device), size)
            shared, features = model.trunk.split(images, len(model.rest_stages) if model.rest_stages else 0)
            below = model.rest_stages(shared) if model.rest_stages else features
            codes = model.rest_branch.layers(below).flatten(1)
            kept = [lowres_target(images)] if "picture" in model.retention_heads else []
            kept += [features.mean((2, 3))] if "embedding" in model.retention_heads else []
            yield codes.float().cpu().numpy(), torch.cat(kept or [codes[:, :0]], dim=1).float().cpu().numpy()
            progress.advance(len(faces))
