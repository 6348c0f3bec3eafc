"""`facedis ablate`: train and evaluate the rows of the paper's Tables 1 and 2, or of any grid."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from facedis.commands.common.options import Given, print_settings, settings_options
from facedis.commands.common.shared import AsJson, Quiet, event_handler, show
from facedis.config import EvalConfig, ModelConfig, TrainConfig, as_tables, merge_tables
from facedis.errors import ConfigError

Form = Literal["markdown", "latex", "csv"]
_ENDINGS: dict[str, Form] = {".md": "markdown", ".tex": "latex", ".csv": "csv"}
_OPTIONS = ("trunk", "weights", "image_size", "epochs", "batch_size", "seed", "split", "probes", "device")


@settings_options(ModelConfig, TrainConfig, EvalConfig, only=_OPTIONS)
def ablate(
    given: Given,
    faces: Annotated[Path, typer.Option(help="Faces cache made by `facedis align`.")] = Path("faces.h5"),
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for one run per row, and result.json.")] = Path(
        "ablation"
    ),
    preset: Annotated[
        str | None,
        typer.Option(help="As in `facedis train`.", show_default="small for the bundled faces, else paper"),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(help="Random seeds, as in 0,1,2: every row is trained once per seed.", show_default="--seed"),
    ] = None,
    grid_file: Annotated[
        Path | None,
        typer.Option("--grid", help="TOML file of rows, as examples/grid.toml.", show_default="the paper's four rows"),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Number of runs trained in parallel.", min=1)] = 1,
    form: Annotated[
        Form | None,
        typer.Option("--format", help="Print the table in this format and nothing else.", show_default="none"),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(help="Also write the table: .md, .tex or .csv, or as --format.", show_default="none"),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="Also plot retention against leakage: .png or .svg.", show_default="none"),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never download weights.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train and evaluate the baseline and beta1 = 1, 0.001, 0, or the rows of --grid.

    Prints the paper's columns, and the leakage and retention measured by probes. Every other setting comes from
    --config or --set. After an interruption, the same command continues; finished rows are not trained again.
    """
    several, written = _seeds(seeds, "seed" in given.typed.get("train", {})), _form(form, table)
    from facedis.atomic_io import write_text
    from facedis.reports.figures.evaluation_figures import frontier, save_figure
    from facedis.reports.tables.table_formats import TABLE_FORMATS
    from facedis.reports.terminal.ablate import render, text_table
    from facedis.tasks.experiments.ablation import PAPER_ROWS, read_grid
    from facedis.tasks.experiments.ablation import ablate as run_ablation
    from facedis.tasks.experiments.training import TrainOptions, preview

    device = given.typed.get("runtime", {}).get("device")
    evaluated = Given(given.file, merge_tables(given.typed, {"eval": {"device": device}} if device else {}))
    options = TrainOptions(preset, None, output, given.file, given.typed, offline)
    if given.print_config:
        chosen, model, config = preview(faces, options)
        print_settings(as_tables(model, config, evaluated.resolve(EvalConfig)), chosen, faces)
    rows = PAPER_ROWS if grid_file is None else read_grid(grid_file)
    record = run_ablation(
        faces, output, options, evaluated.resolve(EvalConfig), event_handler(as_json, quiet), several, rows, jobs
    ).to_dict()
    if figure is not None:
        save_figure(frontier(record), figure)
    if table is not None and written is not None:
        write_text(table, TABLE_FORMATS[written](text_table(record)))
    if form is not None and not as_json and not quiet:
        typer.echo(TABLE_FORMATS[form](text_table(record)), nl=False)
    else:
        show(record, render, as_json, quiet)


def _seeds(text: str | None, one: bool) -> tuple[int, ...]:
    if text is None:
        return ()
    if one:
        raise ConfigError("--seed and --seeds are both given", "choose one of them")
    words = text.replace(",", " ").split()
    if not words or not all(word.isdecimal() for word in words) or len(set(words)) < len(words):
        raise ConfigError(f"--seeds is '{text}'", "name different whole numbers, as in 0,1,2")
    return tuple(map(int, words))


def _form(form: Form | None, table: Path | None) -> Form | None:
    """The format of the table: as named, else by the file name."""
    if table is None or form is not None:
        return form
    if table.suffix not in _ENDINGS:
        raise ConfigError(f"--table is {table}", f"end its name in {', '.join(_ENDINGS)}, or name a --format")
    return _ENDINGS[table.suffix]
