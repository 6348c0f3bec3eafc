"""`facedis similarity`: how alike are two faces, in expression and in everything else."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.shared import AsJson, DeviceOption, PhotoCrop, Quiet, RunFolder, show


def similarity(
    image1: Annotated[Path, typer.Argument(help="An image with a face.")],
    image2: Annotated[Path, typer.Argument(help="Another one.")],
    run: RunFolder = None,
    crop: PhotoCrop = None,
    device: DeviceOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compare the expressions of two faces: the cosine of their codes, and how usual that value is.

    A cosine alone says little, so it is placed among pairs of the run's own validation faces that
    show the same expression and among pairs that show different ones.
    """
    from facedis.model.checkpoint import load_run, newest_run
    from facedis.reports.pairs import similarity_page
    from facedis.studies.similarity import similarity as compare

    result = compare(load_run(run or newest_run()), image1, image2, crop, device or "auto")
    show(result, similarity_page, as_json, quiet)
