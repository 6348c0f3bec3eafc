"""The encoder of a run with preprocessing and softmax as one module, for export."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facedis.model.preprocessing import luma
from facedis.model.storage.checkpoint import Run

#: Names of the input and of the outputs in order; `rest` only if the run has a rest code.
INPUT, OUTPUTS = "faces", ("probabilities", "expression", "rest")


class OnnxModule(nn.Module):
    """Maps cropped faces to calibrated probabilities and codes.

    Args:
        run: The model; its trunk, branches and head are shared, not copied.
        temperature: Divisor of the logits.
    """

    resize: Tensor

    def __init__(self, run: Run, temperature: float) -> None:
        super().__init__()
        self.model, self.temperature, self.grey = run.model, temperature, run.grey
        resize = _resize_matrix(run.info["faces"]["size"], run.config.image_size)
        self.register_buffer("resize", resize, persistent=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return OUTPUTS if self.model.rest_branch is not None else OUTPUTS[:-1]

    def forward(self, faces: Tensor) -> tuple[Tensor, ...]:
        """(N, K) probabilities, (N, E) and (N, R) codes of (N, S, S, 3) uint8 faces."""
        images = faces.permute(0, 3, 1, 2).to(torch.float32) / 255
        if self.grey:
            images = luma(images).expand(-1, 3, -1, -1)
        images = (self.resize @ images @ self.resize.T).clamp(0, 1)  # N 3 size size
        model, maps = self.model, self.model.feature_maps(images)
        expression = model.expression_branch(maps.trunk)
        probabilities = (model.expression_head(expression) / self.temperature).softmax(1)
        if model.rest_branch is None:
            return probabilities, expression
        return probabilities, expression, model.rest_branch(model.rest_features(maps))

    @torch.inference_mode()
    def arrays(self, faces: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs for (N, S, S, 3) uint8 faces by name."""
        return {name: values.numpy() for name, values in zip(self.names, self(torch.from_numpy(faces)), strict=True)}


def _resize_matrix(side: int, size: int) -> Tensor:
    """(size, side) matrix that resizes one axis as `to_images` does.

    Resizing is linear and separable, so resizing the identity matrix gives its matrix. The resize operators of
    ONNX runtimes do not agree on antialiasing.
    """
    unit = torch.eye(side)[None, None]  # 1 1 side side
    return F.interpolate(unit, (size, side), mode="bilinear", antialias=side > size)[0, 0]
