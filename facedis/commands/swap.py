"""`facedis swap`: faces exchange their expressions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facedis.commands.shared import (
    AsJson,
    DeviceOption,
    ModelOption,
    PhotoCrop,
    Quiet,
    event_handler,
    model_or_newest,
    show,
)
from facedis.errors import ConfigError

if TYPE_CHECKING:  # what only a run needs
    from facedis.model.storage.checkpoint import Run
    from facedis.tasks.swapping.swapping import SwapOptions, SwapResult


def swap(
    images: Annotated[
        list[Path],
        typer.Argument(
            help="X1 and X2: two images with a face. One with --onto. With --grid 2 to 16, or a folder of so many.",
            metavar="IMAGES",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="The labelled picture: PNG, JPEG or WebP. Each of its images also goes into the folder of the same "
            "name without the ending, with result.json.",
        ),
    ] = Path("swap.png"),
    grid: Annotated[
        bool, typer.Option("--grid", help="Every face with every expression: a row a person, a column an expression.")
    ] = False,
    interpolate: Annotated[
        int | None,
        typer.Option(
            help="Draw X1 in 2 to 60 steps from its expression to that of X2 or of --onto: a strip, or an animation "
            "where -o ends in .gif."
        ),
    ] = None,
    onto: Annotated[
        str | None, typer.Option(help="Give X1 the mean expression of a class, such as happiness, instead of X2's.")
    ] = None,
    paste: Annotated[
        bool, typer.Option("--paste", help="Also put each swapped face back into its photograph.")
    ] = False,
    model: ModelOption = None,
    crop: PhotoCrop = None,
    device: DeviceOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Draw both faces again, then each with the expression of the other: Fig. 2 of the paper.

    Writes one picture: the faces X1 and X2, their reconstructions X1' and X2', and the swaps X1''
    (rest of X1, expression of X2) and X2''. Needs a run with a decoder. Every picture that is drawn
    says in its metadata that it is synthetic.
    """
    _refuse_contradictions(images, grid, interpolate, onto, paste)
    from facedis.atomic_io import refuse_unwritable
    from facedis.reports.provenance import check_image_format
    from facedis.reports.terminal.swap import folder_beside, render, write_drawing
    from facedis.result import write_result
    from facedis.tasks.swapping.swapping import SwapOptions

    check_image_format(output, *([".gif"] if interpolate else []))
    refuse_unwritable(folder_beside(output))
    trained = model_or_newest(model, as_json, quiet)
    wanted = SwapOptions(crop, device or "auto", paste, event_handler(as_json, quiet))
    drawing = _drawn(trained, images, (grid, interpolate, onto), wanted)
    result = drawing.record
    result["images"], result["output"] = write_drawing(drawing, output), str(folder_beside(output))
    write_result(result, folder_beside(output) / "result.json")
    show(result, render, as_json, quiet)


def _drawn(
    run: "Run", images: list[Path], task: tuple[bool, int | None, str | None], wanted: "SwapOptions"
) -> "SwapResult":
    from facedis.tasks.swapping import swapping

    grid, steps, onto = task
    if grid:
        folder = len(images) == 1 and images[0].is_dir()
        return swapping.swap_grid(run, swapping.images_in(images[0]) if folder else images, wanted)
    if steps is not None:
        return swapping.interpolate(run, images, steps, onto, wanted)
    return (
        swapping.swap(run, *images, wanted)
        if onto is None
        else swapping.swap_to_class_mean(run, images[0], onto, wanted)
    )


def _refuse_contradictions(images: list[Path], grid: bool, steps: int | None, onto: str | None, paste: bool) -> None:
    if grid and (steps is not None or onto is not None or paste):
        raise ConfigError("--grid goes with none of --interpolate, --onto and --paste", "leave them out")
    if steps is not None and paste:
        raise ConfigError("--interpolate does not go with --paste", "leave out one of both")
    wanted = 2 if onto is None else 1
    if not grid and len(images) != wanted:
        with_onto = " with --onto" if onto is not None else ""
        raise ConfigError(
            f"{len(images)} image{'s' if len(images) > 1 else ''} given, a swap{with_onto} takes {wanted}",
            "for several faces at once use --grid" if len(images) > wanted else "or take a class's mean with --onto",
        )
