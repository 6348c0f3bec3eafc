"""Encoding faces into expression and rest codes, and decoding such codes into images."""

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
    """Codes and reconstructions of n faces.

    Attributes:
        images: (n, S, S, 3) uint8 faces at the network's input size; grey if the model is grey.
        expression: (n, E) float32 expression codes.
        rest: (n, R) float32: the rest code, followed by the codes of all further branches.
        reconstructions: (n, S, S, 3) uint8.
        rest_dim: Length of the rest code within `rest`; None if `rest` holds nothing else.
    """

    images: np.ndarray
    expression: np.ndarray
    rest: np.ndarray
    reconstructions: np.ndarray
    rest_dim: int | None = None

    @property
    def rest_code(self) -> np.ndarray:
        """(n, rest_dim) rest codes without the codes of further branches, which would dominate a cosine."""
        return self.rest[:, : self.rest_dim]


class SwapGenerator:
    """A run with a decoder, on a device.

    Args:
        run: The model.
        device: auto, cpu, cuda or mps.
        batch_size: Faces per forward pass.

    Raises:
        RunError: The model has no rest code or no decoder, or its decoder is not fully trained.
    """

    def __init__(self, run: Run, device: str = "auto", batch_size: int = 64) -> None:
        if run.config.baseline:
            raise RunError(
                f"{run.display_name} is a baseline without a rest code, so it cannot swap expressions",
                "train without --baseline, with --decoder detached or --beta1 0.001",
            )
        if run.model.decoder is None:
            raise RunError(
                f"{run.display_name} has no decoder",
                "train one with `facedis train --decoder detached` (leaves the codes unchanged) or --beta1 0.001",
            )
        if run.config.decoder == "post-hoc" and (run.path / CHECKPOINT).exists():
            raise RunError(
                f"the decoder of {run.display_name} is not fully trained",
                f"finish it with `facedis train --resume {run.display_name}`",
            )
        self.run, self.device, self.batch_size = run, pick_device(device), batch_size
        size = run.info["faces"]["size"]
        codes = self._rest_codes(np.zeros((1, size, size, 3), np.uint8))
        self.code_shapes = {name: code.shape[1:] for name, code in codes.items()}

    @torch.inference_mode()
    def encode(self, faces: np.ndarray) -> EncodedFaces:
        """Codes and reconstructions of (n, S, S, 3) uint8 faces of any size S."""
        batches = []
        for batch in in_batches(faces, self.batch_size):
            inputs, output = forward(self.run, batch, self.device)
            assert output.reconstruction is not None  # the constructor requires a decoder
            expression, *others = (code.float().cpu().numpy() for code in output.codes.named().values())
            rest = np.concatenate([code.reshape(len(batch), -1) for code in others], axis=1)
            batches.append((to_uint8(inputs), expression, rest, self._to_images(output.reconstruction)))
        images, expression, rest, reconstructions = (np.concatenate(column) for column in zip(*batches, strict=True))
        return EncodedFaces(images, expression, rest, reconstructions, int(np.prod(self.code_shapes["rest"])))

    @torch.inference_mode()
    def decode(self, expression: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """(n, S, S, 3) uint8 images of (n, E) expression codes and (n, R) rest codes."""
        model = self.run.model.to(self.device)
        ends = np.cumsum([int(np.prod(shape)) for shape in self.code_shapes.values()])[:-1]
        images = []
        for own, other in zip(in_batches(expression, self.batch_size), in_batches(rest, self.batch_size), strict=True):
            codes = {"expression": own}
            for (name, shape), part in zip(self.code_shapes.items(), np.split(other, ends, axis=1), strict=True):
                codes[name] = part.reshape(len(part), *shape)
            tensors = {name: torch.from_numpy(code).to(self.device) for name, code in codes.items()}
            images.append(self._to_images(model.decode(Codes.of(tensors))))
        return np.concatenate(images)

    @torch.inference_mode()
    def _rest_codes(self, faces: np.ndarray) -> dict[str, Tensor]:
        """All codes of `faces` except the expression code."""
        codes = forward(self.run, faces, self.device)[1].codes.named()
        return {name: code for name, code in codes.items() if name != "expression"}

    def _to_images(self, decoded: Tensor) -> np.ndarray:
        """Decoder output as uint8 images, grey if the model is grey."""
        return to_uint8(decoded.mean(1, keepdim=True).expand_as(decoded) if self.run.grey else decoded)


def to_uint8(images: Tensor) -> np.ndarray:
    """(B, S, S, 3) uint8 array of (B, 3, S, S) images in [0, 1]."""
    scaled = (images.float().clamp(0, 1) * 255).round().to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()
