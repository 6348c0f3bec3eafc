"""`facedis train`: adversarial training on a faces cache."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.common.options import Given, print_settings, settings_options
from facedis.commands.common.shared import AsJson, Quiet, event_handler, show
from facedis.config import ModelConfig, TrainConfig, as_tables


@settings_options(ModelConfig, TrainConfig)
def train(
    given: Given,
    faces: Annotated[
        Path | None, typer.Option(help="Faces cache made by `facedis align`.", show_default="faces.h5")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="paper, small (minutes on a laptop) or clean (low leakage).",
            show_default="paper; small for bundled faces",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the run folder.", show_default="date, trunk and beta1")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder that contains the run folders.")] = Path("runs"),
    resume: Annotated[
        Path | None,
        typer.Option(help="Resume this interrupted run; other options are ignored.", show_default="none"),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never download weights.", show_default="off")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train a disentangling model: faces.h5 -> runs/NAME. runs/latest points to the newest run.

    The expression branch learns the labels; the rest branch learns a code from which adversaries cannot predict them.
    Ctrl-C saves a checkpoint and stops; --resume continues with the same result as without a stop.
    """
    from facedis.reports.terminal.train import render
    from facedis.tasks.experiments import training

    if resume is not None:
        show(training.resume(resume, event_handler(as_json, quiet)), render, as_json, quiet)
        return
    faces = faces or given.file.faces or Path("faces.h5")
    wanted = training.TrainOptions(preset, name, runs, given.file, given.typed, offline)
    if given.print_config:
        chosen, model, config = training.preview(faces, wanted)
        print_settings(as_tables(model, config), chosen, faces)
    show(training.train(faces, wanted, event_handler(as_json, quiet)), render, as_json, quiet)
