"""A run as one ONNX file, compared with torch before it is given away."""

import json
import logging
import shlex
import sys
import warnings
from collections.abc import Mapping
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
from facedis.faces.alignment.align_images import crop_config
from facedis.faces.alignment.plan import bundled_folder
from facedis.faces.cropping.crop import resize_image
from facedis.faces.io.images import read_image
from facedis.model.storage.checkpoint import Run
from facedis.result import record
from facedis.tasks.encoding.temperature import Calibration
from facedis.tasks.packaging.onnx_module import INPUT, OnnxModule

#: Faces that both are shown, and the most that any number of theirs may differ.
FACES, TOLERANCE = 100, 1e-4
_PACKAGES = ("onnx", "onnxruntime", "onnxscript")
_OPSET = 18
_LICENCE = (
    "The code of facedis is under the MIT licence. The weights in this file were learned from the faces named under "
    "'dataset' and, where 'pretrained' is true, from weights of others: their terms hold for this file too."
)


def export_onnx(run: Run, path: Path, handler: EventHandler = ignore_events) -> dict[str, Any]:
    """Write `run` as an ONNX file: faces in, probabilities and codes out.

    Args:
        run: The model.
        path: The file, whole or not at all.
        handler: Told what is being done.

    Returns:
        The record of kind "export", with the greatest differences between both.

    Raises:
        MissingExtra: onnx, onnxruntime or onnxscript is not installed.
        OutputError: The file cannot be written, or computes something else than torch does; then it is gone.
    """
    if any(find_spec(name) is None for name in _PACKAGES):
        raise MissingExtra("exporting to ONNX", "onnx")
    calibration = Calibration.from_run(run)
    module, faces = OnnxModule(run, calibration.temperature).eval(), _faces(run, handler)
    about = _about(run, calibration)
    note(handler, f"exporting {run.display_name}")
    with atomic_write(path) as temporary:
        _write(module, faces[:2], temporary, about)
        differences = _differences(module, temporary, faces)
        worst = max(differences.values())
        if not worst < TOLERANCE:  # NaN is no agreement either
            raise OutputError(
                f"the exported network differs from the model by {worst:.2g}, more than {TOLERANCE:g}, and was removed",
                "try another version of torch, onnxscript or onnxruntime",
            )
    return record(
        "export",
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        model=run.display_name,
        n=len(faces),
        classes=run.classes,
        output=str(path),
        bytes=path.stat().st_size,
        differences=differences,
        tolerance=TOLERANCE,
        temperature=calibration.temperature if calibration.fitted else None,
        metadata=about,
    )


def _faces(run: Run, handler: EventHandler) -> np.ndarray:
    """(FACES, S, S, 3) uint8 of the bundled faces, in the size of the run's own."""
    folder, size = bundled_folder(handler), run.info["faces"]["size"]
    images = list(iter_images(folder))
    chosen = [images[place] for place in np.linspace(0, len(images) - 1, FACES).round().astype(int)]
    return np.stack([resize_image(read_image(folder / name), size) for name in chosen])


def _about(run: Run, calibration: Calibration) -> dict[str, str]:
    """What the file says about itself; ONNX keeps text only, so that lists and numbers are JSON."""
    crop = crop_config(run)
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


def _write(module: OnnxModule, example: np.ndarray, path: Path, about: Mapping[str, str]) -> None:
    import onnx

    batch = torch.export.Dim("N")
    with _quietly(), torch.inference_mode():
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
    graph.doc_string = "Faces (N, S, S, 3) uint8 RGB to the probabilities of their expressions and their codes."
    onnx.helper.set_model_props(graph, dict(about))
    onnx.save(graph, str(path))


def _differences(module: OnnxModule, path: Path, faces: np.ndarray) -> dict[str, float]:
    """For each output the greatest difference between torch and onnxruntime, all faces at once and one alone."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = dict.fromkeys(module.names, 0.0)
    for some in (faces, faces[:1]):
        expected = module.arrays(some)
        for name, values in zip(module.names, session.run(list(module.names), {INPUT: some}), strict=True):
            found[name] = float(np.max([found[name], np.abs(values - expected[name]).max()]))
    return found


@contextmanager
def _quietly():
    """Keep torch's exporter from talking about itself: what matters is checked afterwards."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
