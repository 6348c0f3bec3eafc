"""What the commands share: the common options, the settings file, and how a result is shown."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facedis.config import Crop, Device
from facedis.errors import CacheError

if TYPE_CHECKING:  # a shell that asks for help should not wait for what only a run needs
    from facedis.events import EventHandler
    from facedis.model.storage.checkpoint import Run
    from facedis.result import Result

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.", show_default="off")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.", show_default="off")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing output.", show_default="off")]
DeviceOption = Annotated[Device, typer.Option("--device", help="Device to compute on.")]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "--run",
        help="Run folder, packed model, hf:OWNER/NAME, or a name from `facedis models list`.",
        show_default="the newest run in ./runs, else bundled",
    ),
]
PhotoCrop = Annotated[
    Crop | None,
    typer.Option(
        "--crop", help="How to crop; none: the images are cropped faces.", show_default="as in the model's training"
    ),
]


def event_handler(as_json: bool, quiet: bool) -> "EventHandler":
    """Where the engine's events go: a progress display on stderr, or nowhere."""
    from facedis.events import ignore_events

    if quiet or as_json:
        return ignore_events
    from facedis.reports.progress import Progress

    return Progress()


def show(
    result: "Mapping[str, Any] | Result",
    page: Callable[[Mapping[str, Any]], Iterable[Any]],
    as_json: bool,
    quiet: bool,
) -> None:
    """Print `result` on stdout: as JSON, as the rich renderables that `page` makes of it, or not at all."""
    result = result if isinstance(result, Mapping) else result.to_dict()
    if as_json:
        from facedis.result import dumps

        sys.stdout.write(dumps(result) + "\n")
    elif not quiet:
        from rich.console import Console

        console = Console(markup=False, emoji=False)  # a folder may be called "out [old]", a picture ":cat:.png"
        for part in page(result):
            console.print(part)


def model_or_newest(name: str | None, as_json: bool, quiet: bool) -> "Run":
    """The model that --model names, else the newest run, with a note on stderr, else the bundled model."""
    from facedis.model.storage.registry import load_model_or_newest

    return load_model_or_newest(name, event_handler(as_json, quiet))


def faces_of(run: "Run", faces: Path | None) -> Path:
    """The faces cache that was named, else the one that the run was trained on.

    Raises:
        CacheError: None was named and that one is not here.
    """
    if faces is None and not run.faces.exists():
        raise CacheError(f"the faces that {run.display_name} was trained on are not here: {run.faces}", "name --faces")
    return faces or run.faces


def results_folder(what: str, run: "Run", split: str, faces: Path | None) -> Path:
    """Where results go that nobody named a place for: into the run; of a packed model into the current folder.

    Other faces than its own get a folder of their own, and where that holds results on yet other faces, a few
    digits of their fingerprint more: nothing is lost but an earlier result on the same faces.

    Raises:
        CacheError: The faces are missing or are no cache.
    """
    from facedis.faces.cache.cache import FacesCache

    own = faces_of(run, faces)
    with FacesCache.open(own) as cache:
        fingerprint = cache.info.fingerprint
    other = own.resolve() != run.faces.resolve()
    name = f"{what}-{split}-{own.stem}" if other else f"{what}-{split}"
    place = Path(f"{run.info['name']}-{name}") if run.packed else run.path / name
    taken = _is_of_other_faces(place / "result.json", own, fingerprint)
    return place.with_name(f"{place.name}-{fingerprint[:6]}") if taken else place


def _is_of_other_faces(record: Path, faces: Path, fingerprint: str) -> bool:
    """Whether there is a result record of other faces; an older one says only what they were called."""
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
        known = found.get("faces_fingerprint")
        return known != fingerprint if known else Path(found["faces"]).resolve() != faces.resolve()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # there is none
