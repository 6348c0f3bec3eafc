"""How alike two faces are: in expression, in everything else, and against what is usual."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from facedis.faces.alignment.align_images import align_images
from facedis.metrics.classification.calibration import softmax
from facedis.metrics.verification.pairs import cosines
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run
from facedis.result import record
from facedis.tasks.encoding.encode import CODES, encode_faces
from facedis.tasks.encoding.temperature import Calibration
from facedis.tasks.similarity.reference_distribution import ReferenceDistribution

#: What is computed of a face for a comparison.
COMPARED_OUTPUTS = (*CODES, "probabilities")


@dataclass(frozen=True)
class SimilarityResult:
    """Pairs that were compared.

    Attributes:
        record: Of kind "similarity"; keys in docs/results.md.
        faces: (S, S, 3) uint8 of images that the record names, for pages that show them.
    """

    record: dict[str, Any]
    faces: dict[str, np.ndarray] = field(default_factory=dict)


def similarity(
    run: Run,
    image1: Path,
    image2: Path,
    crop: str | None = None,
    device: str = "auto",
    false_accepts: float | None = None,
) -> dict[str, Any]:
    """The record of `compare`."""
    return compare(run, image1, image2, crop, device, false_accepts).record


def compare(
    run: Run,
    image1: Path,
    image2: Path,
    crop: str | None = None,
    device: str = "auto",
    false_accepts: float | None = None,
) -> SimilarityResult:
    """Compare the faces of two images.

    Args:
        run: The model.
        image1: A file with a face; of several the largest is taken, and the record says so.
        image2: Another.
        crop: How to cut the faces out; None as the run's own faces were.
        device: As in the settings.
        false_accepts: Share of unlike pairs above a threshold; None for 0.05.

    Returns:
        One pair: the cosine of the expression codes, the rest codes and the trunk features, each with
        its place among pairs of the run's val split.

    Raises:
        InputError: An image cannot be read or shows no face.
        ConfigError: `false_accepts` is no share.

    Source: paper, Table 3, which has no pairs of different expressions to compare with.
    """
    reference = ReferenceDistribution.load(run.path, false_accepts)
    faces = align_images(run, [image1, image2], crop, device)
    pixels = np.stack([face.face for face in faces])
    codes = encode_faces(run, pixels, pick_device(device), COMPARED_OUTPUTS)
    pair = {"image1": str(image1), "image2": str(image2), "labels": {}}
    pair |= compare_pairs(codes, np.array([0]), np.array([1]), reference)[0]
    pair["predicted"] = predicted(run, codes["probabilities"])
    several = [f"{face.path} shows {face.n_faces} faces, the largest is compared" for face in faces if face.n_faces > 1]
    found = similarity_record(run, "pair", [pair], reference, several)
    return SimilarityResult(found, {str(face.path): face.face for face in faces})


def compare_pairs(
    codes: Mapping[str, np.ndarray], first: np.ndarray, second: np.ndarray, reference: ReferenceDistribution
) -> list[dict[str, Any]]:
    """For each of m pairs, `expression`, `rest` and `trunk` as `ReferenceDistribution.placed`; None where there is no such code.

    Args:
        codes: (n, D) of n faces by name.
        first: (m,) int face of each pair.
        second: (m,) int the other.
        reference: Where cosines are placed.
    """
    values = {name: cosines(codes[name], first, second) for name in CODES if name in codes}
    return [
        {name: reference.placed(float(values[name][m]), name) if name in values else None for name in CODES}
        for m in range(len(first))
    ]


def predicted(run: Run, probabilities: np.ndarray) -> list[dict[str, Any]]:
    """The expression that the head sees in each of (n, K) `probabilities`, with its probability.

    It is what `facedis predict` says of the face: the run's temperature is applied here.
    """
    with np.errstate(divide="ignore"):  # a probability of 0 stays one
        calibrated = softmax(np.log(probabilities), Calibration.from_run(run).temperature)
    return [{"expression": run.classes[row.argmax()], "probability": float(row.max())} for row in calibrated]


def similarity_record(
    run: Run,
    mode: str,
    pairs: Sequence[Mapping[str, Any]],
    reference: ReferenceDistribution,
    notes: Sequence[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """A record of kind "similarity".

    Args:
        run: The model.
        mode: "pair", "ranking", "pairs" or "sample".
        pairs: What was compared.
        reference: Where the cosines were placed.
        notes: What a reader must know, beside what the reference lacks.
        more: Keys of the mode.
    """
    common = {
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "model": run.display_name,
        "n": len(pairs),
        "classes": run.classes,
        "seed": run.train_config.seed,
        "mode": mode,
        "reference": reference.record(),
        "notes": [*reference.remarks, *notes],
        "pairs": pairs,
    }
    return record("similarity", **(common | more))
