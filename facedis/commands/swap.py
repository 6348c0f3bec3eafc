"""`facedis swap`: exchange the expressions of faces."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facedis.commands.common.shared import (
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
    from facedis.tasks.swapping.swap_result import SwapResult
    from facedis.tasks.swapping.swapping import SwapOptions


def swap(
    images: Annotated[
        list[Path],
        typer.Argument(
            help="Two images X1 and X2; one with --target-expression; with --grid 2 to 16, or a folder of them.",
            metavar="IMAGES",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Labelled image to write: PNG, JPEG or WebP. The single images and result.json are written into the "
            "folder of the same name without suffix.",
        ),
    ] = Path("swap.png"),
    grid: Annotated[
        bool,
        typer.Option("--grid", help="Every face with every expression: one row per person, one column per expression."),
    ] = False,
    interpolate: Annotated[
        int | None,
        typer.Option(
            help="Interpolate X1 in 2 to 60 steps to the expression of X2 or to --target-expression: a strip, or an "
            "animation if -o ends in .gif.",
            show_default="none",
        ),
    ] = None,
    target_expression: Annotated[
        str | None,
        typer.Option(
            help="Use the mean expression code of a class, such as happiness, instead of X2.", show_default="none"
        ),
    ] = None,
    paste: Annotated[
        bool, typer.Option("--paste", help="Also paste each swapped face back into its photograph.")
    ] = False,
    model: ModelOption = None,
    crop: PhotoCrop = None,
    device: DeviceOption = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Exchange the expressions of two faces, as in Fig. 2 of the paper.

    Writes one image with the faces X1 and X2, their reconstructions X1' and X2', and the swaps X1'' (rest code of X1,
    expression code of X2) and X2''. Needs a model with a decoder. The metadata of every generated image states that
    it is synthetic.
    """
    _refuse_contradictions(images, grid, interpolate, target_expression, paste)
    from facedis.atomic_io import refuse_unwritable
    from facedis.faces.io.provenance import check_image_format
    from facedis.reports.terminal.swap import render
    from facedis.tasks.swapping.swap_result import image_folder
    from facedis.tasks.swapping.swapping import SwapOptions

    check_image_format(output, *([".gif"] if interpolate else []))
    refuse_unwritable(image_folder(output))
    options = SwapOptions(crop=crop, device=device, paste=paste, handler=event_handler(as_json, quiet))
    result = _run_task(model_or_newest(model, as_json, quiet), images, (grid, interpolate, target_expression), options)
    show(result.write(output), render, as_json, quiet)


def _run_task(
    run: "Run", images: list[Path], mode: tuple[bool, int | None, str | None], options: "SwapOptions"
) -> "SwapResult":
    from facedis.tasks.swapping import swapping

    grid, steps, target = mode
    if grid:
        folder = len(images) == 1 and images[0].is_dir()
        return swapping.swap_grid(run, swapping.list_images(images[0]) if folder else images, options)
    if steps is not None:
        return swapping.interpolate(run, images, steps, target, options)
    if target is not None:
        return swapping.swap_to_class_mean(run, images[0], target, options)
    return swapping.swap(run, images[0], images[1], options)


def _refuse_contradictions(images: list[Path], grid: bool, steps: int | None, target: str | None, paste: bool) -> None:
    if grid and (steps is not None or target is not None or paste):
        raise ConfigError("--grid excludes --interpolate, --target-expression and --paste", "leave them out")
    if steps is not None and paste:
        raise ConfigError("--interpolate excludes --paste", "leave out one of them")
    wanted = 2 if target is None else 1
    if not grid and len(images) != wanted:
        with_target = " with --target-expression" if target is not None else ""
        raise ConfigError(
            f"{len(images)} image{'s' if len(images) > 1 else ''} given, a swap{with_target} takes {wanted}",
            "for several faces at once use --grid" if len(images) > wanted else "or use --target-expression",
        )
