"""Two faces exchange their expressions: Fig. 2 of the paper."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from facedis.errors import RunError
from facedis.faces.single import SingleFace
from facedis.measures.pairs import cosines
from facedis.model.checkpoint import Run
from facedis.model.device import pick_device
from facedis.model.disentangler import Codes
from facedis.result import record
from facedis.studies.encode import forward
from facedis.studies.photographs import align_photographs


@dataclass(frozen=True)
class Swap:
    """The six images of Fig. 2, each (S, S, 3) uint8: originals, reconstructions, swaps.

    `x1_swapped` is drawn from the rest code of X1 and the expression code of X2, `x2_swapped` the
    other way round.
    """

    x1: np.ndarray
    x2: np.ndarray
    x1_reconstructed: np.ndarray
    x2_reconstructed: np.ndarray
    x1_swapped: np.ndarray
    x2_swapped: np.ndarray


@torch.inference_mode()
def swap(
    run: Run, image1: Path, image2: Path, crop: str | None = None, device: str = "auto"
) -> tuple[Swap, dict[str, Any]]:
    """Exchange the expressions of the faces in two images.

    Args:
        run: A model with a decoder.
        image1: X1.
        image2: X2.
        crop: How to cut the faces out; None as the run's own faces were.
        device: As in the settings.

    Returns:
        The images, and the record of kind "swap" with the cosines of the codes; whoever saves the
        images adds their paths.

    Raises:
        RunError: The model has no decoder.
        InputError: An image cannot be read or shows no face.
    """
    if run.model.decoder is None:
        raise RunError(
            f"{run.path} has no decoder to draw with",
            "train one with `facedis train --decoder detached` (draws without touching the codes) or --beta1 0.001",
        )
    faces = align_photographs(run, [image1, image2], crop)
    images, output = forward(run, np.stack([face.face for face in faces]), pick_device(device))
    codes = output.codes
    exchanged = run.model.decode(codes._replace(expression=codes.expression.flip(0)))
    drawn = [*_pixels(images), *_pixels(output.reconstruction), *_pixels(exchanged)]
    return Swap(*drawn), _record(run, faces, codes, _again(run, exchanged))


def _again(run: Run, exchanged: Tensor) -> Codes:
    """The codes of the swapped images: whether the model itself reads in them what went in."""
    return run.model(exchanged).codes


def _record(run: Run, faces: list[SingleFace], codes: Codes, again: Codes) -> dict[str, Any]:
    expression, rest = codes.expression.float().cpu().numpy(), codes.rest.float().cpu().numpy()
    new_expression, new_rest = again.expression.float().cpu().numpy(), again.rest.float().cpu().numpy()
    before, after, other = np.arange(2), np.arange(2, 4), np.array([1, 0])
    expressions, rests = np.concatenate([expression, new_expression]), np.concatenate([rest, new_rest])
    return record(
        "swap",
        command=" ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        model=str(run.path),
        faces=[str(face.path) for face in faces],
        n=2,
        classes=run.classes,
        seed=run.train_config.seed,
        cosines={
            "x1_x2": {
                "expression": cosines(expressions, before[:1], before[1:])[0],
                "rest": cosines(rests, before[:1], before[1:])[0],
            },
            "swapped_with_expression_donor": cosines(expressions, after, other),
            "swapped_with_rest_donor": cosines(rests, after, before),
        },
    )


def _pixels(images: Tensor) -> list[np.ndarray]:
    whole = (images.float().clamp(0, 1) * 255).round().to(torch.uint8)
    return list(whole.permute(0, 2, 3, 1).cpu().numpy())


def rows_of(images: Swap) -> list[list[tuple[str, np.ndarray]]]:
    """The labelled grid of Fig. 2: one row a face."""
    return [
        [
            ("X1", images.x1),
            ("X1': reconstruction", images.x1_reconstructed),
            ("X1'': rest of X1,\nexpression of X2", images.x1_swapped),
        ],
        [
            ("X2", images.x2),
            ("X2': reconstruction", images.x2_reconstructed),
            ("X2'': rest of X2,\nexpression of X1", images.x2_swapped),
        ],
    ]
