"""`facedis ablate`: the paper's Tables 1 and 2, trained and measured by one command."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from facedis.commands.shared import AsJson, DeviceOption, Quiet, SettingsFile, event_handler, settings, show
from facedis.errors import ConfigError

Form = Literal["markdown", "latex", "csv"]
_ENDINGS = {".md": "markdown", ".tex": "latex", ".csv": "csv"}


def ablate(
    faces: Annotated[Path, typer.Option("--faces", help="Faces cache made by `facedis align`.")] = Path("faces.h5"),
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder: one run a row, and result.json.")] = Path(
        "ablation"
    ),
    preset: Annotated[str | None, typer.Option(help="paper, small or clean. Default: by the faces.")] = None,
    trunk: Annotated[str | None, typer.Option(help="As in `facedis train`.")] = None,
    weights: Annotated[str | None, typer.Option(help="As in `facedis train`.")] = None,
    size: Annotated[int | None, typer.Option(help="Side of the input in pixels.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Of each run.")] = None,
    batch: Annotated[int | None, typer.Option(help="Faces a step.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of every run.")] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Several, as in 0,1,2: each row is trained under each, in sequence.")
    ] = None,
    grid_file: Annotated[
        Path | None,
        typer.Option("--grid", help="TOML file of other rows, as examples/grid.toml. Default: the paper's four."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Runs trained side by side, each on its share of the cores.", min=1)] = 1,
    split: Annotated[str | None, typer.Option(help="Split to measure on: val or test. Default: val.")] = None,
    probes: Annotated[str | None, typer.Option(help="As in `facedis eval`.")] = None,
    form: Annotated[
        Form | None, typer.Option("--format", help="Print the table as text of this kind, and nothing else.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write the table: .md, .tex or .csv, by the name or --format.")
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option("--figure", help="Also draw what each row keeps against what it leaks: .png, .svg."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never download weights.")] = False,
    device: DeviceOption = None,
    config: SettingsFile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train the baseline and beta1 = 1, 0.001, 0, or any --grid; print the paper's columns and the honest ones.

    Every other setting comes from --config. Stopped at any moment, the same command goes on: rows
    that are finished are not trained again.
    """
    chosen, written = _seeds(seeds, seed), _form(form, out)
    from facedis.atomic_io import write_text
    from facedis.config import EvalConfig, read_settings
    from facedis.reports.figures.evaluation_figures import frontier, save_figure
    from facedis.reports.tables.table_formats import TABLE_FORMATS
    from facedis.reports.terminal.ablate import render, text_table
    from facedis.tasks.experiments.ablation import PAPER_ROWS, read_grid
    from facedis.tasks.experiments.ablation import ablate as study
    from facedis.tasks.experiments.training import TrainOptions

    options = TrainOptions(
        preset=preset,
        file=read_settings(config),
        model={"trunk": trunk, "weights": weights, "size": size},
        train={"epochs": epochs, "batch": batch, "seed": seed, "device": device},
        offline=offline,
    )
    measured = settings(EvalConfig, "eval", config, {"split": split, "probes": probes, "device": device})
    rows = PAPER_ROWS if grid_file is None else read_grid(grid_file)
    result = study(faces, output, options, measured, event_handler(as_json, quiet), chosen, rows, jobs)
    if figure is not None:
        save_figure(frontier(result), figure)
    if out is not None and written is not None:
        write_text(out, TABLE_FORMATS[written](text_table(result)))
    if form is not None and not as_json and not quiet:
        typer.echo(TABLE_FORMATS[form](text_table(result)), nl=False)
    else:
        show(result, render, as_json, quiet)


def _seeds(text: str | None, one: int | None) -> tuple[int, ...]:
    if text is None:
        return ()
    if one is not None:
        raise ConfigError("--seed and --seeds are both given", "choose one of them")
    words = text.replace(",", " ").split()
    if not words or not all(word.isdecimal() for word in words) or len(set(words)) < len(words):
        raise ConfigError(f"--seeds is '{text}'", "name different whole numbers, as in 0,1,2")
    return tuple(map(int, words))


def _form(form: str | None, out: Path | None) -> str | None:
    """What kind of text `out` gets: as named, else by its ending."""
    if out is None or form is not None:
        return form
    if out.suffix not in _ENDINGS:
        raise ConfigError(f"--out is {out}", f"end its name in {', '.join(_ENDINGS)}, or name a --format")
    return _ENDINGS[out.suffix]
