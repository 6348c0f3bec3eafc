"""`facedis ablate`: the paper's Tables 1 and 2, trained and measured by one command."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.shared import AsJson, DeviceOption, Quiet, SettingsFile, listener, settings, show
from facedis.config import EvalConfig, read_settings


def ablate(
    faces: Annotated[Path, typer.Option("--faces", help="Faces cache made by `facedis align`.")] = Path("faces.h5"),
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder: one run a row, and result.json.")] = Path(
        "ablation"
    ),
    preset: Annotated[str | None, typer.Option(help="paper or small. Default: by the faces.")] = None,
    trunk: Annotated[str | None, typer.Option(help="As in `facedis train`.")] = None,
    weights: Annotated[str | None, typer.Option(help="As in `facedis train`.")] = None,
    size: Annotated[int | None, typer.Option(help="Side of the input in pixels.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Of each run.")] = None,
    batch: Annotated[int | None, typer.Option(help="Faces a step.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of every run.")] = None,
    split: Annotated[str | None, typer.Option(help="Split to measure on: val or test. Default: val.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never download weights.")] = False,
    device: DeviceOption = None,
    config: SettingsFile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train the baseline and beta1 = 1, 0.001, 0; print the paper's columns and the honest ones.

    Every other setting comes from --config. Stopped at any moment, the same command goes on: rows
    that are finished are not trained again.
    """
    from facedis.reports.ablation import page
    from facedis.studies.ablation import ablate as study
    from facedis.studies.training import Wish

    wish = Wish(
        preset=preset,
        file=read_settings(config),
        model={"trunk": trunk, "weights": weights, "size": size},
        train={"epochs": epochs, "batch": batch, "seed": seed, "device": device},
        offline=offline,
    )
    measured = settings(EvalConfig, "eval", config, {"split": split, "device": device})
    result = study(faces, output, wish, measured, listener(as_json, quiet))
    show(result, page, as_json, quiet)
