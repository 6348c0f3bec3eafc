"""Erasure of the expression from the rest code in closed form, folded into the rest branch's last convolution.

LEACE removes what a linear classifier can predict from the codes of the train split, with the
smallest possible change. With a rank limit, only the directions that predict the retention targets remain, as
the others still contain non-linear information on the expression. The architecture does not change.
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
from facedis.model.preprocessing import to_images
from facedis.training.data import TrainingData

BATCH = 128


def erase_expression(
    fabric: Fabric, model: Disentangler, data: TrainingData, size: int, handler: EventHandler, rank: int = 0
) -> None:
    """Change the rest branch so that the classes of the train split have equal means in the rest code.

    Args:
        fabric: The device.
        model: A trained model with a rest branch, and with a retention head if `rank` is given.
        data: The faces.
        size: Side of the input in pixels.
        handler: Receives the progress.
        rank: Number of directions of the code to keep: those that predict most of the retention targets. 0: all.

    Source: LEACE (see `facedis.metrics.erasure.leace`), folded into the weights.
    """
    model.eval()
    branch = _rest_branch(model)
    pieces = zip(*_codes_and_targets(fabric, model, data, size, handler), strict=True)
    codes, targets = (np.concatenate(piece) for piece in pieces)
    eraser = fit_leace(codes, data.train_labels, len(data.classes))
    fold_affine(branch, np.eye(codes.shape[1]) - eraser.projection.T, eraser.projection.T @ eraser.mean)
    if rank:
        fold_affine(branch, *_rank_limit(eraser.erase(codes), targets, data.train_labels, rank))


@torch.no_grad()
def fold_affine(branch: Branch, matrix: np.ndarray, shift: np.ndarray) -> None:
    """Fold the map z -> matrix z + shift into the weights of a branch's last convolution."""
    last = branch.layers[-1]
    assert isinstance(last, nn.Conv2d) and last.bias is not None
    m, s = (torch.from_numpy(part).to(last.weight.device, torch.float64) for part in (matrix, shift))
    last.bias.copy_(m @ last.bias.double() + s)
    last.weight.copy_((m @ last.weight.double().flatten(1)).view_as(last.weight))


def _rank_limit(codes: np.ndarray, targets: np.ndarray, labels: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """The affine map to the `rank` directions of (m, D) codes that predict most of (m, T) targets."""
    codes, targets = codes.astype(np.float64), targets.astype(np.float64)
    for label in np.unique(labels):  # without the expression
        targets[labels == label] -= targets[labels == label].mean(axis=0)
    targets /= np.maximum(targets.std(axis=0), 1e-6)
    centre, spread = codes.mean(axis=0), np.maximum(codes.std(axis=0), 1e-6)
    basis = reduced_rank_basis((codes - centre) / spread, targets, rank)
    matrix = (basis @ basis.T) * spread[:, None] / spread
    return matrix, centre - matrix @ centre


@torch.inference_mode()
def _codes_and_targets(
    fabric: Fabric, model: Disentangler, data: TrainingData, size: int, handler: EventHandler
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The rest codes of the train split before their normalisation, and the retention targets."""
    rows, branch = data.train_rows, _rest_branch(model)
    with track(handler, "erasing the expression", len(rows)) as progress:
        starts = range(0, len(rows), BATCH)
        for _, faces in prefetch_batches(data.cache, [rows[start : start + BATCH] for start in starts]):
            images = to_images(torch.from_numpy(faces).to(fabric.device), size)
            maps = model.feature_maps(images)
            codes = branch.unnormalised(model.rest_features(maps))
            targets = [lowres_target(images)] if "lowres" in model.retention_heads else []
            targets += [maps.trunk.mean((2, 3))] if "features" in model.retention_heads else []
            yield codes.float().cpu().numpy(), torch.cat(targets or [codes[:, :0]], dim=1).float().cpu().numpy()
            progress.advance(len(faces))


def _rest_branch(model: Disentangler) -> Branch:
    assert model.rest_branch is not None
    return model.rest_branch
