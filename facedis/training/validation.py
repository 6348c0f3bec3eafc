"""Accuracy on the val split."""

import numpy as np
import torch
from lightning_fabric import Fabric

from facedis.faces.cache.loader import prefetch_batches
from facedis.model.network.adversaries import Adversaries
from facedis.model.network.disentangler import Disentangler
from facedis.model.preprocessing import to_images
from facedis.training.data import TrainingData

BATCH = 128


@torch.no_grad()
def accuracy(
    fabric: Fabric, model: Disentangler, adversary: Adversaries | None, data: TrainingData, size: int
) -> dict[str, float]:
    """Accuracy of C_exp and C_adv on the val split, in eval mode.

    Args:
        fabric: Device and precision.
        model: Not wrapped by Fabric: one process validates while the others wait.
        adversary: Not wrapped either; None for a baseline.
        data: Must have a val split.
        size: Side of the input in pixels.
    """
    for module in (model, adversary):
        if module is not None:
            module.eval()
    hits = torch.zeros(2)
    starts = range(0, len(data.val_rows), BATCH)
    for rows, faces in prefetch_batches(data.cache, [data.val_rows[start : start + BATCH] for start in starts]):
        labels = torch.from_numpy(data.val_labels[np.searchsorted(data.val_rows, rows)]).to(fabric.device)
        images = to_images(torch.from_numpy(faces).to(fabric.device), size)
        with fabric.autocast():
            output = model(images.contiguous(memory_format=torch.channels_last), reconstruct=False)
            hits[0] += (output.logits.argmax(1) == labels).sum().cpu()
            if adversary is not None:
                hits[1] += (adversary.expression_in_rest(output.codes.rest).argmax(1) == labels).sum().cpu()
    expression, adversarial = (hits.double() / len(data.val_rows)).tolist()
    found = {"expression_accuracy": expression}
    return found if adversary is None else found | {"adversary_accuracy": adversarial}
