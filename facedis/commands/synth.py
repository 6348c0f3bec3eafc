"""`facedis synth`: faces with known factors, rendered."""

import os
from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.shared import AsJson, Quiet, event_handler, show


def synth(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to make, or to go on with.")] = Path(
        "rendered"
    ),
    identities: Annotated[int, typer.Option(min=1, help="Number of people; the last fifth of them tests.")] = 72,
    per_expression: Annotated[int, typer.Option(min=1, help="Pictures of each expression of each person.")] = 2,
    size: Annotated[int, typer.Option(min=32, max=1024, help="Side of a picture in pixels.")] = 192,
    seed: Annotated[int, typer.Option(help="Decides every picture.")] = 2020,
    grid: Annotated[
        bool,
        typer.Option(
            "--grid", help="Instead: each expression of the people who test, all else equal (the truth for swaps)."
        ),
    ] = False,
    scenes: Annotated[
        bool,
        typer.Option(
            "--scenes", help="The first pictures of a person's expressions share one setting, the second another, ..."
        ),
    ] = False,
    processes: Annotated[int, typer.Option(min=0, help="That render side by side; 0: one for each core.")] = 0,
    sheet: Annotated[Path | None, typer.Option(help="Also write a contact sheet of six people to this PNG.")] = None,
    like: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Render no set but picture A with the expression of picture B, both of rendered sets."),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Render faces with known identity, expression, pose and light: -> a folder for `facedis align`.

    Needs `pip install 'facedis[synth]'`. The seed decides every picture, whatever the number of
    processes. Stopped at any moment, the same command goes on where it stopped.
    """
    from facedis.errors import ConfigError
    from facedis.reports.provenance import RENDERED, check_image_format, save_image
    from facedis.reports.terminal.synth import render
    from facedis.synthetic.render_plan import RenderPlan
    from facedis.synthetic.render_sheet import expression_sheet
    from facedis.synthetic.synthesis import render_dataset

    if sheet is not None:
        check_image_format(sheet)
    if like is not None:
        from facedis.synthetic.true_swap import true_swap

        save_image(true_swap(*like), output.with_suffix(".png"), RENDERED)
        return
    if grid and scenes:
        raise ConfigError("--grid and --scenes are two kinds of sets", "leave out one of both")
    plan = RenderPlan(
        identities=identities, per_expression=per_expression, size=size, seed=seed, grid=grid, scenes=scenes
    )
    result = render_dataset(plan, output, processes or os.cpu_count() or 1, event_handler(as_json, quiet))
    if sheet is not None:
        save_image(expression_sheet(output, plan), sheet, RENDERED)
    show(result, render, as_json, quiet)
