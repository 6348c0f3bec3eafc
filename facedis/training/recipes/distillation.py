"""Knowledge distillation from finished runs."""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from facedis.errors import RunError
from facedis.model.preprocessing import fit_images
from facedis.model.storage.checkpoint import Run, load_run

#: Divides the logits of teacher and student.
TEMPERATURE = 2.0


class Teachers:
    """An ensemble of finished runs: the mean of their softened probabilities.

    Args:
        folders: The run folders.
        classes: Expressions of the student, in the order of its logits.
        device: Device of the models.

    Raises:
        RunError: A folder is not a finished run, or was trained on other expressions.

    Source: Hinton, Vinyals & Dean, Distilling the knowledge in a neural network, 2015 (1503.02531).
    """

    def __init__(self, folders: Sequence[str], classes: tuple[str, ...], device: torch.device) -> None:
        self.runs = [load_run(Path(folder)) for folder in folders]
        self.orders = [_class_order(run, classes) for run in self.runs]
        for run in self.runs:
            run.model.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """(B, K) probabilities at `TEMPERATURE`, in the student's order, of images (B, 3, S, S) in [0, 1]."""
        probs = []
        for run, order in zip(self.runs, self.orders, strict=True):
            inputs = fit_images(images, run.config.image_size, run.grey).contiguous(memory_format=torch.channels_last)
            logits = run.model(inputs, reconstruct=False).logits.float()
            probs.append((logits / TEMPERATURE).softmax(1)[:, order])
        return torch.stack(probs).mean(0)


def distillation_loss(logits: Tensor, teacher_probs: Tensor) -> Tensor:
    """Divergence of the student's softened probabilities from the teachers', mean over the batch.

    Args:
        logits: (B, K) of C_exp.
        teacher_probs: (B, K) output of `Teachers`.

    Source: Hinton, Vinyals & Dean, section 2: the divergence times the square of the temperature, which
    gives gradients of the size of a cross-entropy's.
    """
    return F.kl_div((logits / TEMPERATURE).log_softmax(1), teacher_probs, reduction="batchmean") * TEMPERATURE**2


def _class_order(run: Run, classes: tuple[str, ...]) -> list[int]:
    if set(run.classes) != set(classes):
        raise RunError(
            f"the teacher {run.display_name} was trained on other expressions: {', '.join(run.classes)}",
            f"name a run with the expressions {', '.join(classes)}",
        )
    return [run.classes.index(name) for name in classes]
