"""`facedis swap`: two faces exchange their expressions."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.shared import AsJson, DeviceOption, PhotoCrop, Quiet, RunFolder, show


def swap(
    image1: Annotated[Path, typer.Argument(help="X1: an image with a face.")],
    image2: Annotated[Path, typer.Argument(help="X2: another one.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write.")] = Path("swap.png"),
    run: RunFolder = None,
    crop: PhotoCrop = None,
    device: DeviceOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Draw both faces again, then each with the expression of the other: Fig. 2 of the paper.

    Writes one picture: the faces X1 and X2, their reconstructions X1' and X2', and the swaps X1''
    (rest of X1, expression of X2) and X2''. Needs a run with a decoder.
    """
    from facedis.model.checkpoint import load_run, newest_run
    from facedis.reports.pairs import swap_page, swap_png
    from facedis.studies.swapping import rows_of
    from facedis.studies.swapping import swap as exchange

    images, result = exchange(load_run(run or newest_run()), image1, image2, crop, device or "auto")
    swap_png(rows_of(images), output)
    result["images"] = {"x1": str(image1), "x2": str(image2), "grid": str(output)}
    show(result, swap_page, as_json, quiet)
