"""What the commands share: the common options, the settings file, and how a result is shown."""

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:  # a shell that asks for help should not wait for what only a run needs
    from facedis.config import Config
    from facedis.events import Listener

SettingsFile = Annotated[
    Path | None,
    typer.Option("--config", help="TOML file of settings, one table a stage: align, model, train, eval, swap-eval."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result record as JSON on stdout, and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier run left at the output.")]
DeviceOption = Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda or mps.")]
RunFolder = Annotated[
    Path | None, typer.Option("--run", help="Run folder made by `facedis train`. Default: the newest, runs/latest.")
]
PhotoCrop = Annotated[
    str | None,
    typer.Option("--crop", help="box, similarity, or none: the images are faces already. Default: as the run's faces."),
]


def settings(kind: "type[Config]", section: str, file: Path | None, options: Mapping[str, Any]) -> "Config":
    """A stage's settings: defaults, then the table `section` of `file`, then the options typed."""
    from facedis.config import read_settings, resolve

    return resolve(kind, read_settings(file).get(section, {}), options)


def listener(as_json: bool, quiet: bool) -> "Listener":
    """Where the engine's events go: a progress display on stderr, or nowhere."""
    from facedis.events import silent

    if quiet or as_json:
        return silent
    from facedis.reports.progress import Progress

    return Progress()


def show(
    result: Mapping[str, Any],
    page: Callable[[Mapping[str, Any]], Iterable[Any]],
    as_json: bool,
    quiet: bool,
) -> None:
    """Print `result` on stdout: as JSON, as the rich renderables that `page` makes of it, or not at all."""
    if as_json:
        from facedis.result import dumps

        sys.stdout.write(dumps(result) + "\n")
    elif not quiet:
        from rich.console import Console

        console = Console()
        for part in page(result):
            console.print(part)


def results_folder(what: str, split: str, faces: Path | None, own: Path) -> str:
    """Name of a folder in a run: other `faces` than its `own` get one that does not replace the results on those."""
    other = faces is not None and faces.resolve() != own.resolve()
    return f"{what}-{split}-{faces.stem}" if other else f"{what}-{split}"
