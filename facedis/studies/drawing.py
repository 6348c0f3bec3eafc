"""What every swap needs: a run that can draw, faces to codes, codes to pictures."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from facedis.errors import RunError
from facedis.model.checkpoint import Run
from facedis.model.device import pick_device
from facedis.model.disentangler import Codes
from facedis.studies.encode import forward


@dataclass(frozen=True)
class Encoded:
    """n faces as the network sees them, and what it makes of them.

    Attributes:
        pictures: (n, S, S, 3) uint8, in the network's size and without colour where it knows none.
        expression: (n, E) float32.
        rest: (n, R) float32, or a map (n, R, H, W).
        reconstructions: (n, S, S, 3) uint8.
    """

    pictures: np.ndarray
    expression: np.ndarray
    rest: np.ndarray
    reconstructions: np.ndarray


class Drawer:
    """A run with a decoder, on a device.

    Args:
        run: The model.
        device: As in the settings.
        batch: Faces at a time.

    Raises:
        RunError: It has no rest code or no decoder.
    """

    def __init__(self, run: Run, device: str = "auto", batch: int = 64) -> None:
        if run.config.baseline:
            raise RunError(
                f"{run.path} is a baseline: without a rest code there is nothing to put an expression on",
                "train without --baseline, with --decoder detached or --beta1 0.001",
            )
        if run.model.decoder is None:
            raise RunError(
                f"{run.path} has no decoder to draw with",
                "train one with `facedis train --decoder detached` (draws without touching the codes) or --beta1 0.001",
            )
        self.run, self.device, self.batch = run, pick_device(device), batch

    @torch.inference_mode()
    def encode(self, faces: np.ndarray) -> Encoded:
        """Codes and reconstructions of (n, S, S, 3) uint8 faces, of any S."""
        pieces = []
        for start in range(0, len(faces), self.batch):
            images, output = forward(self.run, faces[start : start + self.batch], self.device)
            codes = (code.float().cpu().numpy() for code in output.codes)
            pieces.append((pixels(images), *codes, self._pixels(output.reconstruction)))
        return Encoded(*(np.concatenate(column) for column in zip(*pieces, strict=True)))

    @torch.inference_mode()
    def draw(self, expression: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """(n, S, S, 3) uint8 pictures of n expression codes, each with its rest code."""
        model = self.run.model.to(self.device)
        pieces = []
        for start in range(0, len(rest), self.batch):
            codes = (torch.from_numpy(code[start : start + self.batch]).to(self.device) for code in (expression, rest))
            pieces.append(self._pixels(model.decode(Codes(*codes))))
        return np.concatenate(pieces)

    def _pixels(self, drawn: Tensor) -> np.ndarray:
        """Pictures as pixels; a run that never saw a colour draws none."""
        return pixels(drawn.mean(1, keepdim=True).expand_as(drawn) if self.run.grey else drawn)


def pixels(images: Tensor) -> np.ndarray:
    """(B, S, S, 3) uint8 of (B, 3, S, S) in [0, 1]."""
    whole = (images.float().clamp(0, 1) * 255).round().to(torch.uint8)
    return whole.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def flat(codes: np.ndarray) -> np.ndarray:
    """(n, D) codes, a map written as one row."""
    return codes.reshape(len(codes), -1)
