"""Export a run to ONNX and compare its outputs with those of torch."""

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facedis import __version__
from facedis.atomic_io import atomic_write
from facedis.datasets.formats.walk import iter_images
from facedis.errors import MissingExtra, OutputError
from facedis.events import EventHandler, ignore_events, note
from facedis.faces.alignment.align_images import CropOptions
from facedis.faces.alignment.plan import bundled_folder
from facedis.faces.cropping.crop import resize_image
from facedis.faces.io.images import read_image
from facedis.model.storage.checkpoint import Run
from facedis.result import command_line, record
from facedis.tasks.encoding.temperature import Calibration
from facedis.tasks.packaging.onnx_module import INPUT, OnnxModule

#: Faces of the comparison, and the largest difference of any output.
FACES, TOLERANCE = 100, 1e-4
_PACKAGES = ("onnx", "onnxruntime", "onnxscript")
_OPSET = 18
_LICENCE = (
    "The code of facedis is under the MIT licence. The weights in this file were trained on the faces named under "
    "'dataset' and, if 'pretrained' is true, initialised with third-party weights; their terms also apply."
)


def export_onnx(run: Run, path: Path, handler: EventHandler = ignore_events) -> dict[str, Any]:
    """Write a model as an ONNX file that maps cropped faces to probabilities and codes.

    Args:
        run: The model.
        path: The file, written atomically.
        handler: Receives notes.

    Returns:
        The record of kind "export", with the largest difference of each output between torch and onnxruntime.

    Raises:
        MissingExtra: onnx, onnxruntime or onnxscript is not installed.
        OutputError: The file cannot be written, or its outputs differ from those of torch; then no file is left.
    """
    if any(find_spec(name) is None for name in _PACKAGES):
        raise MissingExtra("exporting to ONNX", "onnx")
    calibration = Calibration.from_run(run)
    module, faces = OnnxModule(run, calibration.temperature).eval(), _faces(run, handler)
    metadata = _metadata(run, calibration)
    note(handler, f"exporting {run.display_name}")
    with atomic_write(path) as temporary:
        _write(module, faces[:2], temporary, metadata)
        differences = _differences(module, temporary, faces)
        worst = max(differences.values())
        if not worst < TOLERANCE:  # also true for NaN
            raise OutputError(
                f"the outputs of the exported model differ from those of torch by {worst:.2g}, "
                f"more than {TOLERANCE:g}; the file was removed",
                "try another version of torch, onnxscript or onnxruntime",
            )
    return record(
        "export",
        command=command_line(),
        model=run.display_name,
        n=len(faces),
        classes=run.classes,
        output=str(path),
        bytes=path.stat().st_size,
        differences=differences,
        tolerance=TOLERANCE,
        temperature=calibration.temperature if calibration.fitted else None,
        metadata=metadata,
    )


def _faces(run: Run, handler: EventHandler) -> np.ndarray:
    """(FACES, S, S, 3) uint8 bundled faces in the size of the training faces."""
    folder, size = bundled_folder(handler), run.info["faces"]["size"]
    images = list(iter_images(folder))
    chosen = [images[index] for index in np.linspace(0, len(images) - 1, FACES).round().astype(int)]
    return np.stack([resize_image(read_image(folder / name), size) for name in chosen])


def _metadata(run: Run, calibration: Calibration) -> dict[str, str]:
    """The metadata of the file. ONNX stores text only, so lists and numbers are JSON."""
    crop = CropOptions.from_info(run.info["faces"]).config()
    values = {
        "classes": list(run.classes),
        "size": run.info["faces"]["size"],
        "crop": crop.crop,
        "margin": crop.margin,
        "detector": crop.detector,
        "grey": run.grey,
        "temperature": calibration.temperature if calibration.fitted else None,
        "dataset": run.info["faces"].get("dataset", ""),
        "pretrained": run.info["pretrained"],
        "model": Path(run.display_name).name,
        "fingerprint": run.fingerprint,
        "facedis": __version__,
        "license": _LICENCE,
    }
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def _write(module: OnnxModule, example: np.ndarray, path: Path, metadata: Mapping[str, str]) -> None:
    import onnx

    batch = torch.export.Dim("N")
    with _suppress_messages(), torch.inference_mode():
        torch.onnx.export(
            module,
            (torch.from_numpy(example),),
            str(path),
            input_names=[INPUT],
            output_names=list(module.names),
            opset_version=_OPSET,
            dynamo=True,
            dynamic_shapes=({0: batch},),
            external_data=False,
            verbose=False,
        )
    graph = onnx.load(str(path))
    graph.producer_name, graph.producer_version = "facedis", __version__
    graph.doc_string = "Maps faces (N, S, S, 3), uint8 RGB, to expression probabilities and codes."
    onnx.helper.set_model_props(graph, dict(metadata))
    onnx.save(graph, str(path))


def _differences(module: OnnxModule, path: Path, faces: np.ndarray) -> dict[str, float]:
    """The largest difference of each output between torch and onnxruntime, in batches of all faces and of one."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    differences = dict.fromkeys(module.names, 0.0)
    for batch in (faces, faces[:1]):
        expected = module.arrays(batch)
        for name, values in zip(module.names, session.run(list(module.names), {INPUT: batch}), strict=True):
            differences[name] = float(np.max([differences[name], np.abs(values - expected[name]).max()]))
    return differences


@contextmanager
def _suppress_messages() -> Iterator[None]:
    """Suppress the warnings and log messages of torch's exporter."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
