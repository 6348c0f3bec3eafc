"""`facedis export`: a trained model for programs without torch."""

from pathlib import Path
from typing import Annotated

import typer

from facedis.commands.shared import (
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
            help="The ONNX file to write: faces (N, S, S, 3) uint8 in, probabilities and codes out, with the resizing "
            "and the temperature inside.",
        ),
    ],
    model: ModelOption = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the encoder with its preprocessing as one ONNX file, which runs without torch and without facedis.

    The file is compared with the model on 100 faces; one that differs by 1e-4 or more is removed. It says
    in its metadata how faces must be cut out, what the classes are, and where the weights come from.
    """
    if onnx.suffix.lower() != ".onnx":
        raise ConfigError(f"{onnx} does not end in .onnx", "so that nothing else is overwritten by mistake")
    if onnx.exists() and not overwrite:
        raise OutputError(f"{onnx} exists already", "choose another --onnx or --overwrite")
    from facedis.reports.terminal.export import render
    from facedis.tasks.packaging.export import export_onnx

    trained = model_or_newest(model, as_json, quiet)
    show(export_onnx(trained, onnx, event_handler(as_json, quiet)), render, as_json, quiet)
