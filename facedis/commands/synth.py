"""`facedis synth`: render faces with known factors."""

import os
from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.common.shared import AsJson, Quiet, event_handler, show


def synth(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to create or to continue.")] = Path("rendered"),
    identities: Annotated[
        int, typer.Option(min=1, help="Number of identities; the last fifth is the test split.")
    ] = 72,
    per_expression: Annotated[int, typer.Option(min=1, help="Images of each expression of each identity.")] = 2,
    image_size: Annotated[int, typer.Option(min=32, max=1024, help="Side of an image in pixels.")] = 192,
    seed: Annotated[int, typer.Option(help="Random seed of all images.")] = 2020,
    grid: Annotated[
        bool,
        typer.Option(
            "--grid",
            help="Render every expression of the test identities with all other factors equal: the true swaps.",
        ),
    ] = False,
    scenes: Annotated[
        bool,
        typer.Option("--scenes", help="Render scenes: all expressions of an identity share pose, light and camera."),
    ] = False,
    processes: Annotated[int, typer.Option(min=0, help="Number of parallel render processes; 0: one per core.")] = 0,
    sheet: Annotated[
        Path | None, typer.Option(help="Also write a contact sheet of six identities (PNG).", show_default="none")
    ] = None,
    reenact: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            help="Render only image A with the expression of image B, both of rendered sets.",
            metavar="A B",
            show_default="none",
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Render faces with known identity, expression, pose and light into a folder for `facedis align`.

    Needs `pip install 'facedis[synth]'`. The result depends on the seed, not on the number of processes. After an
    interruption, the same command continues where it stopped.
    """
    from facedis.errors import ConfigError
    from facedis.faces.io.provenance import RENDERED, check_image_format, save_image
    from facedis.reports.terminal.synth import render
    from facedis.synthetic.render_plan import RenderPlan
    from facedis.synthetic.render_sheet import expression_sheet
    from facedis.synthetic.synthesis import render_dataset

    if sheet is not None:
        check_image_format(sheet)
    if reenact is not None:
        from facedis.synthetic.true_swap import true_swap

        save_image(true_swap(*reenact), output.with_suffix(".png"), RENDERED)
        return
    if grid and scenes:
        raise ConfigError("--grid and --scenes exclude each other", "leave out one of them")
    plan = RenderPlan(
        identities=identities, per_expression=per_expression, size=image_size, seed=seed, grid=grid, scenes=scenes
    )
    result = render_dataset(plan, output, processes or os.cpu_count() or 1, event_handler(as_json, quiet))
    if sheet is not None:
        save_image(expression_sheet(output, plan), sheet, RENDERED)
    show(result, render, as_json, quiet)
