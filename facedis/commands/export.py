"""`facedis export`: write a model as an ONNX file."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.common.shared import (
    AsJson,
    ModelOption,
    Overwrite,
    Quiet,
    event_handler,
    model_or_newest,
    show,
)
from facedis.errors import ConfigError, OutputError


def export(
    onnx: Annotated[
        Path,
        typer.Option(
            "--onnx",
            help="ONNX file to write. Input: faces (N, S, S, 3) uint8. Outputs: probabilities and codes. Resizing and "
            "temperature scaling are included.",
        ),
    ],
    model: ModelOption = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the encoder with its preprocessing as one ONNX file that runs without torch and facedis.

    The file is compared with the model on 100 faces and removed if they differ by 1e-4 or more. Its metadata contain
    the crop, the classes and the origin of the weights.
    """
    if onnx.suffix.lower() != ".onnx":
        raise ConfigError(f"{onnx} does not end in .onnx", "so that nothing else is overwritten by mistake")
    if onnx.exists() and not overwrite:
        raise OutputError(f"{onnx} exists already", "choose another --onnx or --overwrite")
    from facedis.reports.terminal.export import render
    from facedis.tasks.packaging.export import export_onnx

    trained = model_or_newest(model, as_json, quiet)
    show(export_onnx(trained, onnx, event_handler(as_json, quiet)), render, as_json, quiet)
