"""Photographs as a run wants them: cut out as the faces were that it learned from."""

from collections.abc import Sequence
from pathlib import Path

from facedis.config import AlignConfig, resolve
from facedis.faces.single import SingleFace, single_faces
from facedis.model.checkpoint import Run


def align_photographs(run: Run, images: Sequence[Path], crop: str | None = None) -> list[SingleFace]:
    """The face of each image.

    Args:
        run: Says how its own faces were cut out. Where they came cut out already, a photograph is
            cut upright and without margin, which keeps the shape of the face and comes nearest to
            what such datasets show.
        images: Files with one face each; of several faces the largest is taken.
        crop: "box", "similarity", "none" (the image is a face already), or None for the run's way.

    Raises:
        InputError: An image cannot be read or shows no face.
    """
    return single_faces(images, crop_settings(run, crop))


def crop_settings(run: Run, crop: str | None = None) -> AlignConfig:
    """How a photograph must be cut out for `run`; `crop` as in `align_photographs`."""
    own = run.info["faces"]
    cut_elsewhere = own["crop"] == "none"
    return resolve(
        AlignConfig,
        {
            "crop": crop or ("similarity" if cut_elsewhere else own["crop"]),
            "margin": 0.0 if cut_elsewhere else own["margin"],
            "size": own["size"],
            "detector": "mtcnn" if own["detector"] in ("none", "given") else own["detector"],
        },
    )
