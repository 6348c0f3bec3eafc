"""`facedis embed`: write the codes of many faces to one file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from facedis.commands.common.shared import (
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
from facedis.config.eval_config import Split
from facedis.errors import ConfigError, OutputError
from facedis.locks import exclusive_lock


def embed(
    faces: Annotated[Path, typer.Argument(help="Faces cache or folder of images.")] = Path("faces.h5"),
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write: .parquet, .npz or .csv.")] = Path(
        "codes.npz"
    ),
    code: Annotated[
        Literal["expression", "rest", "trunk", "both", "all"] | None,
        typer.Option(help="Code to write; trunk: the trunk's features.", show_default="both"),
    ] = None,
    split: Annotated[Split | None, typer.Option(help="Split of a faces cache to encode.", show_default="all")] = None,
    model: ModelOption = None,
    crop: PhotoCrop = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Batch size for a faces cache.", show_default="128", min=1)
    ] = None,
    overwrite: Overwrite = False,
    device: DeviceOption = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the codes of a faces cache or of a folder of images to a Parquet, NPZ or CSV file.

    One row per face, with its row, image, expression, identity and split where known. Memory use does not depend on
    the number of faces. The file is written atomically. Images without a face are reported and left out.
    """
    options = {"code": code, "split": split, "crop": crop, "batch_size": batch_size, "device": device}
    folder = faces.is_dir()
    unused = [name for name in (("split", "batch_size") if folder else ("crop",)) if options[name] is not None]
    if unused:
        raise ConfigError(
            f"--{unused[0].replace('_', '-')} has no effect for a {'folder' if folder else 'faces cache'}",
            "leave it out",
        )
    if not overwrite:
        _refuse_existing(output)

    from facedis.reports.terminal.embed import render
    from facedis.tasks.encoding.embedding import embed as run_embedding
    from facedis.tasks.inference import InferenceOptions

    inference = InferenceOptions(crop=crop, batch_size=batch_size or 128, device=device)
    trained, handler = model_or_newest(model, as_json, quiet), event_handler(as_json, quiet)
    with exclusive_lock(output):
        if not overwrite:
            _refuse_existing(output)  # another process may have written it since
        result = run_embedding(trained, faces, output, code or "both", split or "all", inference, handler)
    show(result, render, as_json, quiet)


def _refuse_existing(output: Path) -> None:
    if output.exists():
        raise OutputError(f"{output} exists already", "choose another -o or --overwrite")
