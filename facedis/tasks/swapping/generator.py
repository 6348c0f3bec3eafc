"""What every swap needs: a run that can draw, faces to codes, codes to pictures."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from facedis.errors import RunError
from facedis.faces.cache.loader import in_batches
from facedis.model.device import pick_device
from facedis.model.network.disentangler import Codes
from facedis.model.storage.checkpoint import CHECKPOINT, Run
from facedis.tasks.encoding.encode import forward


@dataclass(frozen=True)
class EncodedFaces:
    """n faces as the network sees them, and what it makes of them.

    Attributes:
        pictures: (n, S, S, 3) uint8, in the network's size and without colour where it knows none.
        expression: (n, E) float32.
        rest: (n, R) float32, the rest code and those of all further branches, one after the other.
        reconstructions: (n, S, S, 3) uint8.
        length: How many numbers of `rest` are the rest code itself, the first ones; None for all.
    """

    pictures: np.ndarray
    expression: np.ndarray
    rest: np.ndarray
    reconstructions: np.ndarray
    length: int | None = None

    @property
    def rest_code(self) -> np.ndarray:
        """The rest code alone: beside a map of two thousand places nobody would see it in a cosine."""
        return self.rest[:, : self.length]


class SwapGenerator:
    """A run with a decoder, on a device.

    Args:
        run: The model.
        device: As in the settings.
        batch: Faces at a time.

    Raises:
        RunError: It has no rest code, no decoder, or one that has not learned to draw yet.
    """

    def __init__(self, run: Run, device: str = "auto", batch: int = 64) -> None:
        if run.config.baseline:
            raise RunError(
                f"{run.display_name} is a baseline: without a rest code there is nothing to put an expression on",
                "train without --baseline, with --decoder detached or --beta1 0.001",
            )
        if run.model.decoder is None:
            raise RunError(
                f"{run.display_name} has no decoder to draw with",
                "train one with `facedis train --decoder detached` (draws without touching the codes) or --beta1 0.001",
            )
        if run.config.decoder == "post-hoc" and (run.path / CHECKPOINT).exists():
            raise RunError(
                f"{run.display_name} has not learned to draw to the end",
                f"finish it with `facedis train --resume {run.display_name}`",
            )
        self.run, self.device, self.batch = run, pick_device(device), batch
        size = run.info["faces"]["size"]
        self.shapes = {name: code.shape[1:] for name, code in self._others(np.zeros((1, size, size, 3), np.uint8))}

    @torch.inference_mode()
    def encode(self, faces: np.ndarray) -> EncodedFaces:
        """Codes and reconstructions of (n, S, S, 3) uint8 faces, of any S."""
        pieces = []
        for piece in in_batches(faces, self.batch):
            images, output = forward(self.run, piece, self.device)
            codes = [code.float().cpu().numpy() for code in output.codes.named().values()]
            rest = np.concatenate([code.reshape(len(piece), -1) for code in codes[1:]], axis=1)
            pieces.append((pixels(images), codes[0], rest, self._pixels(output.reconstruction)))
        columns = (np.concatenate(column) for column in zip(*pieces, strict=True))
        return EncodedFaces(*columns, length=int(np.prod(self.shapes["rest"])))

    @torch.inference_mode()
    def draw(self, expression: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """(n, S, S, 3) uint8 pictures of n expression codes, each with its rest code."""
        model = self.run.model.to(self.device)
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes.values()])[:-1]
        pieces = []
        for one, other in zip(in_batches(expression, self.batch), in_batches(rest, self.batch), strict=True):
            parts = zip(self.shapes.items(), np.split(other, ends, axis=1), strict=True)
            named = {name: part.reshape(len(part), *shape) for (name, shape), part in parts}
            codes = {
                name: torch.from_numpy(code).to(self.device) for name, code in ({"expression": one} | named).items()
            }
            pieces.append(self._pixels(model.decode(Codes.of(codes))))
        return np.concatenate(pieces)

    @torch.inference_mode()
    def _others(self, faces: np.ndarray) -> list[tuple[str, Tensor]]:
        """Every code of `faces` but the expression's, by name."""
        return list(forward(self.run, faces, self.device)[1].codes.named().items())[1:]

    def _pixels(self, drawn: Tensor) -> np.ndarray:
        """Pictures as pixels; a run that never saw a colour draws none."""
        return pixels(drawn.mean(1, keepdim=True).expand_as(drawn) if self.run.grey else drawn)


def pixels(images: Tensor) -> np.ndarray:
    """(B, S, S, 3) uint8 of (B, 3, S, S) in [0, 1]."""
    whole = (images.float().clamp(0, 1) * 255).round().to(torch.uint8)
    return whole.permute(0, 2, 3, 1).contiguous().cpu().numpy()
