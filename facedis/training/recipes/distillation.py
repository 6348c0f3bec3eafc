"""Finished runs as teachers: their doubts say more of an ambiguous face than the one word it is labelled with."""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from facedis.errors import RunError
from facedis.model.storage.checkpoint import Run, load_run
from facedis.training.recipes.augmentation import luma

#: By which all logits are divided, so that more than the first answer counts.
TEMPERATURE = 2.0


class Teachers:
    """What finished runs answer together: the mean of their probabilities.

    Args:
        folders: The run folders.
        classes: Expressions of the pupil, in the order of its logits.
        device: Where to compute.

    Raises:
        RunError: A folder is no finished run, or it was taught other expressions.

    Source: Hinton, Vinyals & Dean, Distilling the knowledge in a neural network, 2015 (1503.02531).
    """

    def __init__(self, folders: Sequence[str], classes: tuple[str, ...], device: torch.device) -> None:
        self.runs = [load_run(Path(folder)) for folder in folders]
        self.orders = [_order(run, classes) for run in self.runs]
        for run in self.runs:
            run.model.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """(B, K) probabilities at `TEMPERATURE`, in the pupil's order, of images (B, 3, S, S) in [0, 1]."""
        answers = []
        for run, order in zip(self.runs, self.orders, strict=True):
            logits = run.model(_as_taught(run, images), draw=False).logits.float()
            answers.append((logits / TEMPERATURE).softmax(1)[:, order])
        return torch.stack(answers).mean(0)


def distillation_loss(logits: Tensor, teacher_probs: Tensor) -> Tensor:
    """How far the pupil's answers are from the teachers', mean over the batch, in units of a cross-entropy.

    Args:
        logits: (B, K) of C_exp.
        teacher_probs: (B, K) what `Teachers` answer.

    Source: Hinton, Vinyals & Dean, section 2: the divergence, times the square of the temperature.
    """
    return F.kl_div((logits / TEMPERATURE).log_softmax(1), teacher_probs, reduction="batchmean") * TEMPERATURE**2


def _as_taught(run: Run, images: Tensor) -> Tensor:
    """`images` in the size and the colours that `run` knows."""
    if run.grey:
        images = luma(images).expand(-1, 3, -1, -1)
    size = run.config.image_size
    if images.shape[-1] != size:
        images = F.interpolate(images, (size, size), mode="bilinear", antialias=images.shape[-1] > size)
    return images.contiguous(memory_format=torch.channels_last)


def _order(run: Run, classes: tuple[str, ...]) -> list[int]:
    if set(run.classes) != set(classes):
        raise RunError(
            f"the teacher {run.display_name} was taught other expressions: {', '.join(run.classes)}",
            f"name a run that knows {', '.join(classes)}",
        )
    return [run.classes.index(name) for name in classes]
