"""`facedis predict`: which expression every face of a photograph shows."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facedis.commands.shared import (
    DeviceOption,
    ModelOption,
    Overwrite,
    PhotoCrop,
    Quiet,
    event_handler,
    model_or_newest,
)
from facedis.errors import ConfigError, InputError, OutputError

if TYPE_CHECKING:  # what only a run needs
    from facedis.model.storage.checkpoint import Run
    from facedis.tasks.prediction.prediction import ImagePrediction

#: Takes one prediction, as it was made and as JSON's own types.
Taker = Callable[["ImagePrediction", dict[str, Any]], None]


def predict(
    images: Annotated[
        list[str],
        typer.Argument(
            help="Photographs, folders of them, patterns such as '*.jpg', videos, or - for a list of these on stdin.",
            metavar="IMAGES",
        ),
    ],
    neighbours: Annotated[
        Path | None,
        typer.Option(
            help="Also name the faces with the nearest expression codes, of a faces cache or of codes by "
            "`facedis embed` (.parquet, .npz)."
        ),
    ] = None,
    top: Annotated[int | None, typer.Option(help="How many neighbours of each face. Default: 3.")] = None,
    every: Annotated[int | None, typer.Option(help="Of a video, take every so many-th frame. Default: 10.")] = None,
    min_face: Annotated[
        int | None, typer.Option(help="Side of the smallest face to find, in pixels. Default: 20.")
    ] = None,
    draw: Annotated[
        Path | None, typer.Option(help="Folder for the photographs with their faces framed and named, as PNG.")
    ] = None,
    table: Annotated[Path | None, typer.Option("--csv", help="Also write a CSV file with a row a face.")] = None,
    model: ModelOption = None,
    crop: PhotoCrop = None,
    overwrite: Overwrite = False,
    device: DeviceOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a picture and line, and nothing else, on stdout.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Say which expression every face of the images shows, and how sure that is.

    All faces of a photograph are found, the largest first. The probabilities carry the temperature that was
    fitted when the model was trained. Images that cannot be used, or show no face, are named on a line of
    their own, and the others go on; exit code 2 only where no face was found in any.
    """
    _check(neighbours, top, every, table, draw, overwrite)
    from facedis.tasks.encoding.temperature import Calibration
    from facedis.tasks.prediction.inputs import read_inputs
    from facedis.tasks.prediction.prediction import TOP_K, PredictOptions, predict_stream

    trained, where = model_or_newest(model, as_json, quiet), device or "auto"
    near = None
    if neighbours is not None:
        from facedis.tasks.similarity.neighbours import Neighbours

        near = Neighbours.load(trained, neighbours, where, event_handler(as_json, quiet))
    calibration = Calibration.from_run(trained)
    options = PredictOptions(crop=crop, min_face_size=min_face, neighbours=near, top_k=top or TOP_K, device=where)
    found = predict_stream(trained, read_inputs(images, every or 10, draw), options)
    _tell(found, trained, calibration.temperature if calibration.fitted else None, (as_json, quiet), (table, draw))


def _tell(
    found: Iterator["ImagePrediction"],
    run: "Run",
    temperature: float | None,
    how: tuple[bool, bool],
    where: tuple[Path | None, Path | None],
) -> None:
    """Hand every prediction to all who want it, as it comes.

    Raises:
        InputError: There was no face at all.
    """
    from facedis.reports.terminal.predict import summary

    pictures = without = faces = faceless = 0
    with ExitStack() as stack:
        takers = list(_takers(run, how, where, stack))
        for prediction in found:
            record = prediction.to_dict(run, temperature)
            for take in takers:
                take(prediction, record)
            pictures, faces = pictures + 1, faces + len(prediction.faces)
            without += bool(prediction.problem)
            faceless += bool(prediction.problem) and prediction.image.decoded.pixels is not None
        if not pictures:
            raise InputError("no image was named", "give at least one path")
        if not faceless and not faces:
            raise InputError("no image could be read", "name photographs")
        if not faces:
            raise InputError(
                f"no face in {'the image' if pictures == 1 else f'any of {pictures:,} images'}",
                "add --crop none if they are cropped faces already",
            )
    if how == (False, False):
        print(summary(faces, pictures, without, temperature, run.display_name))


def _takers(
    run: "Run", how: tuple[bool, bool], where: tuple[Path | None, Path | None], stack: ExitStack
) -> Iterator[Taker]:
    from facedis.reports.terminal.predict import PredictionCsv, PredictionLines, json_line

    (as_json, quiet), (table, draw) = how, where
    if as_json:
        yield lambda _, record: print(json_line(record), flush=True)
    else:
        yield lambda _, record: _tell_problem(record)
    if not as_json and not quiet:
        lines = PredictionLines(run.classes)
        yield lambda _, record: print(*(f"{line}\n" for line in lines.of(record)), sep="", end="", flush=True)
    if table is not None:
        from facedis.atomic_io import atomic_write

        place = stack.enter_context(atomic_write(table))
        file = stack.enter_context(place.open("w", encoding="utf-8", errors="backslashreplace", newline=""))
        rows = PredictionCsv(file, run.classes)
        yield lambda _, record: rows.add(record)
    if draw is not None:
        from facedis.reports.figures.annotated import Drawings

        drawings = Drawings(draw, run.classes)

        def add(prediction: "ImagePrediction", record: dict[str, Any]) -> None:
            if prediction.faces:
                drawings.add(prediction.image.decoded.pixels, prediction.image.relative_path, record)

        yield add


def _tell_problem(record: dict[str, Any]) -> None:
    from facedis.reports.terminal.predict import display_name

    if record["problem"]:
        print(f"facedis: {display_name(record)}: {record['problem']}", file=sys.stderr, flush=True)


def _check(
    neighbours: Path | None, top: int | None, every: int | None, table: Path | None, draw: Path | None, overwrite: bool
) -> None:
    """Refuse what does not go together before anything is loaded."""
    for name, value in (("top", top), ("every", every)):
        if value is not None and value < 1:
            raise ConfigError(f"--{name} is {value}", "it must be at least 1")
    if top is not None and neighbours is None:
        raise ConfigError("--top says nothing here", "it belongs to --neighbours")
    if table is not None and table.suffix.lower() != ".csv":
        raise ConfigError(f"{table} does not end in .csv", "so that nothing else is overwritten by mistake")
    if table is not None and table.exists() and not overwrite:
        raise OutputError(f"{table} exists already", "choose another --csv or --overwrite")
    if draw is not None:
        from facedis.atomic_io import refuse_unwritable

        refuse_unwritable(draw)
        if draw.exists() and any(draw.iterdir()) and not overwrite:
            raise OutputError(f"{draw} holds files already", "choose another --draw or --overwrite")
