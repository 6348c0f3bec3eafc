"""`facedis predict`: the expression of every face in images and videos."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facedis.commands.common.shared import (
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
            help="Images, folders, patterns such as '*.jpg', videos, or - to read a list of them from stdin.",
            metavar="IMAGES",
        ),
    ],
    neighbours: Annotated[
        Path | None,
        typer.Option(
            help="Also list the nearest faces by expression code, from a faces cache or codes of `facedis embed` "
            "(.parquet, .npz).",
            show_default="none",
        ),
    ] = None,
    top_k: Annotated[
        int | None, typer.Option(help="Number of neighbours of each face.", show_default="3", min=1)
    ] = None,
    frame_stride: Annotated[int, typer.Option(help="Use every N-th frame of a video.", min=1)] = 10,
    min_face_size: Annotated[
        int | None, typer.Option(help="Side of the smallest face to detect, in pixels.", show_default="20", min=12)
    ] = None,
    annotate_dir: Annotated[
        Path | None,
        typer.Option(help="Folder for the images with boxes and labels, as PNG.", show_default="none"),
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--csv", help="Also write a CSV file, one row per face.", show_default="none")
    ] = None,
    model: ModelOption = None,
    crop: PhotoCrop = None,
    overwrite: Overwrite = False,
    device: DeviceOption = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines, one object per image, and nothing else.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Predict the expression of every face in images and videos.

    All faces of an image are detected; the largest comes first. Probabilities are calibrated with the temperature
    that was fitted after training. Images that cannot be read, or without a face, are reported on stderr and the
    others continue; the exit code is 2 only if no face was found at all.
    """
    _check(neighbours, top_k, table, annotate_dir, overwrite)
    from facedis.tasks.encoding.temperature import Calibration
    from facedis.tasks.prediction.inputs import read_inputs
    from facedis.tasks.prediction.prediction import TOP_K, PredictOptions, predict_stream

    trained, where = model_or_newest(model, as_json, quiet), device
    near = None
    if neighbours is not None:
        from facedis.tasks.similarity.neighbours import Neighbours

        near = Neighbours.load(trained, neighbours, where, event_handler(as_json, quiet))
    calibration = Calibration.from_run(trained)
    options = PredictOptions(
        crop=crop, min_face_size=min_face_size, neighbours=near, top_k=top_k or TOP_K, device=where
    )
    found = predict_stream(trained, read_inputs(images, frame_stride, annotate_dir), options)
    temperature = calibration.temperature if calibration.fitted else None
    _tell(found, trained, temperature, (as_json, quiet), (table, annotate_dir))


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
        from facedis.reports.figures.annotated import AnnotationFolder

        drawings = AnnotationFolder(draw, run.classes)

        def add(prediction: "ImagePrediction", record: dict[str, Any]) -> None:
            pixels = prediction.image.decoded.pixels
            if prediction.faces and pixels is not None:
                drawings.add(pixels, prediction.image.relative_path, record)

        yield add


def _tell_problem(record: dict[str, Any]) -> None:
    from facedis.reports.terminal.predict import display_name

    if record["problem"]:
        print(f"facedis: {display_name(record)}: {record['problem']}", file=sys.stderr, flush=True)


def _check(
    neighbours: Path | None, top_k: int | None, table: Path | None, annotate_dir: Path | None, overwrite: bool
) -> None:
    """Refuse contradicting options before anything is loaded."""
    if top_k is not None and neighbours is None:
        raise ConfigError("--top-k has no effect here", "it belongs to --neighbours")
    if table is not None and table.suffix.lower() != ".csv":
        raise ConfigError(f"{table} does not end in .csv", "so that nothing else is overwritten by mistake")
    if table is not None and table.exists() and not overwrite:
        raise OutputError(f"{table} exists already", "choose another --csv or --overwrite")
    if annotate_dir is not None:
        from facedis.atomic_io import refuse_unwritable

        refuse_unwritable(annotate_dir)
        if annotate_dir.exists() and any(annotate_dir.iterdir()) and not overwrite:
            raise OutputError(f"{annotate_dir} is not empty", "choose another --annotate-dir or --overwrite")
