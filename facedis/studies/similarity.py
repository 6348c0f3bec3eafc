"""How alike two faces are: in expression, in everything else, and against what is usual."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from facedis.measures.pairs import cosines
from facedis.model.checkpoint import Run
from facedis.model.device import pick_device
from facedis.result import record
from facedis.studies.encode import forward
from facedis.studies.photographs import align_photographs
from facedis.studies.reference import placed, read_reference


def similarity(run: Run, image1: Path, image2: Path, crop: str | None = None, device: str = "auto") -> dict[str, Any]:
    """Compare the faces of two images.

    Args:
        run: The model.
        image1: A file with a face.
        image2: Another.
        crop: How to cut the faces out; None as the run's own faces were.
        device: As in the settings.

    Returns:
        The record of kind "similarity": the cosine of the expression codes, the rest codes and the
        trunk features, each with its percentiles among pairs of the run's val split that show the
        same and different expressions.

    Raises:
        InputError: An image cannot be read or shows no face.

    Source: paper, Table 3, which has no pairs of different expressions to compare with.
    """
    faces = align_photographs(run, [image1, image2], crop)
    _, output = forward(run, np.stack([face.face for face in faces]), pick_device(device))
    found = {"expression": output.codes.expression, "rest": output.codes.rest, "trunk": output.features}
    distributions = read_reference(run.path)
    pair: dict[str, Any] = {"image1": str(image1), "image2": str(image2)}
    for name, codes in found.items():
        pair[name] = None
        if codes is not None:
            cosine = cosines(codes.float().cpu().numpy(), np.array([0]), np.array([1]))[0]
            pair[name] = placed(float(cosine), name, distributions)
    probabilities = output.logits.softmax(1).cpu().numpy()
    pair["predicted"] = [
        {"expression": run.classes[row.argmax()], "probability": float(row.max())} for row in probabilities
    ]
    return record(
        "similarity",
        command=" ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        model=str(run.path),
        n=1,
        classes=run.classes,
        seed=run.train_config.seed,
        reference=None if distributions is None else {key: distributions[key] for key in ("n", "split", "faces")},
        pairs=[pair],
    )
