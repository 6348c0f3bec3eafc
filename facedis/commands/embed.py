"""`facedis embed`: the codes of many faces into one file."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.shared import (
    AsJson,
    DeviceOption,
    ModelOption,
    Overwrite,
    PhotoCrop,
    Quiet,
    event_handler,
    model_or_newest,
    show,
)
from facedis.errors import ConfigError, OutputError


def embed(
    faces: Annotated[Path, typer.Argument(help="A faces cache, or a folder of images.")] = Path("faces.h5"),
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write: .parquet, .npz or .csv.")] = Path(
        "codes.npz"
    ),
    code: Annotated[
        str | None,
        typer.Option(help="expression, rest, trunk (features), both (codes), or all. Default: both."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Of a cache: train, val, test or all. Default: all.")] = None,
    model: ModelOption = None,
    crop: PhotoCrop = None,
    batch: Annotated[int | None, typer.Option(help="Faces of a cache encoded at a time. Default: 128.")] = None,
    overwrite: Overwrite = False,
    device: DeviceOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the codes of a faces cache or of a folder of images: -> codes.parquet, .npz or .csv.

    One row a face, with its row, image, expression, identity and split as far as they are known. It
    takes the memory of a few faces, however many there are. The file appears when it is whole;
    stopped, nothing is left. Images without a face are named and left out.
    """
    options = {"code": code, "split": split, "crop": crop, "batch": batch, "device": device}
    folder = faces.is_dir()
    unused = [name for name in (("split", "batch") if folder else ("crop",)) if options[name] is not None]
    if unused:
        raise ConfigError(f"--{unused[0]} says nothing for a {'folder' if folder else 'faces cache'}", "leave it out")
    if output.exists() and not overwrite:
        raise OutputError(f"{output} exists already", "choose another -o or --overwrite")

    from facedis.reports.terminal.embed import render
    from facedis.tasks.encoding.embedding import embed as run_embedding
    from facedis.tasks.inference import InferenceOptions

    inference = InferenceOptions(crop=crop, batch_size=128 if batch is None else batch, device=device or "auto")
    trained, handler = model_or_newest(model, as_json, quiet), event_handler(as_json, quiet)
    result = run_embedding(trained, faces, output, code or "both", split or "all", inference, handler)
    show(result, render, as_json, quiet)
