"""Pack a finished run and its results into a packed model."""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from facedis.atomic_io import refuse_unwritable, write_text
from facedis.errors import CacheError, ConfigError, OutputError, RunError
from facedis.events import EventHandler, ignore_events, note, warn
from facedis.faces.alignment.align_images import CropOptions, align_images
from facedis.locks import exclusive_lock
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import MODEL, Run, sha256
from facedis.model.storage.packed import CARD, FACE, PACKED, RESULTS, load_packed, save_packed_tensors, write_manifest
from facedis.pretrained import METADATA
from facedis.result import record, to_jsonable
from facedis.synthetic import bundled
from facedis.tasks.encoding.encode import encode_faces
from facedis.tasks.encoding.temperature import CALIBRATION
from facedis.tasks.packaging.model_metadata import describe_model
from facedis.tasks.similarity.reference_distribution import REFERENCE_FILE
from facedis.tasks.swapping.class_means import class_mean_codes, write_class_means

#: The bundled face on which packed models are verified; its person is in the test split.
CHECK_IMAGE = "person0154_happiness_0.webp"
#: Largest size of a model bundled with the package.
MAX_BUNDLED_BYTES = 25_000_000


@dataclass(frozen=True)
class PackageTarget:
    """Folder and name of a packed model.

    Attributes:
        folder: The folder to write.
        name: Name of the model: letters, digits, - and _.
        overwrite: Whether to replace a packed model in `folder`.
    """

    folder: Path
    name: str
    overwrite: bool = False


def pack(
    run: Run,
    results: list[dict[str, Any]],
    card: Callable[[Mapping[str, Any]], str],
    target: PackageTarget,
    handler: EventHandler = ignore_events,
) -> dict[str, Any]:
    """Write the packed model of a run atomically.

    Args:
        run: A finished run.
        results: From `collect_results`.
        card: Formats what `describe_model` returns as a model card.
        target: Folder and name.
        handler: Receives notes and warnings.

    Returns:
        The record of kind "model_packed".

    Raises:
        ConfigError: Invalid name.
        RunError: The run is a packed model.
        OutputError: The folder exists, cannot be written, or is being written by another process.
    """
    _check_target(run, target)
    if not results:
        warn(handler, "the run has no result of `facedis eval`, so its card reports no accuracy")
    description = describe_model(run, results) | {"name": target.name}
    description["info"] = description["info"] | {"packed": PACKED, "name": target.name}
    with (
        exclusive_lock(target.folder),
        tempfile.TemporaryDirectory(prefix=".packing-", dir=target.folder.parent) as temporary,
    ):
        _refuse_existing(target)  # another process may have written it since
        draft = Path(temporary) / target.folder.name
        draft.mkdir()
        _write_files(run, description, draft, handler)
        write_text(draft / CARD, card(description))
        write_manifest(draft)
        _move_into_place(draft, target.folder)
    size = sum(path.stat().st_size for path in target.folder.iterdir())
    if size > MAX_BUNDLED_BYTES:
        note(handler, f"{size / 1e6:.1f} MB exceeds the limit of {MAX_BUNDLED_BYTES / 1e6:.0f} MB for bundled models")
    return record(
        "model_packed",
        model=run.display_name,
        name=target.name,
        output=str(target.folder),
        bytes=size,
        before=(run.path / MODEL).stat().st_size,
        results=len(results),
        files=sorted(path.name for path in target.folder.iterdir()),
    )


def _check_target(run: Run, target: PackageTarget) -> None:
    if run.packed:
        raise RunError(f"{run.display_name} is already a packed model", "copy its folder, or name a run")
    if not target.name.replace("-", "_").isidentifier():
        raise ConfigError(f"--name is '{target.name}'", "use letters, digits, - and _")
    _refuse_existing(target)
    refuse_unwritable(target.folder.parent)


def _refuse_existing(target: PackageTarget) -> None:
    # Only a packed model is replaced, so that a wrong -o deletes nothing else.
    if target.folder.exists() and not (target.overwrite and (target.folder / METADATA).is_file()):
        raise OutputError(f"{target.folder} exists already", "choose another -o, or --overwrite a packed model")


def _write_files(run: Run, description: Mapping[str, Any], draft: Path, handler: EventHandler) -> None:
    save_packed_tensors(run, draft)
    info = description["info"]
    write_text(draft / METADATA, _json(info))
    write_text(draft / RESULTS, _json({"results": description["results"]}))
    for name in (REFERENCE_FILE, CALIBRATION):
        _copy_without_path(run.path / name, draft / name)
    with suppress(CacheError):  # without the training faces there are no class means, which the card says
        write_class_means(draft, list(run.classes), class_mean_codes(run, handler=handler), sha256(draft / MODEL))
    face = align_images([bundled.unpack(handler) / CHECK_IMAGE], CropOptions.from_info(run.info["faces"]))[0].face
    Image.fromarray(face).save(draft / FACE)
    write_text(draft / METADATA, _json(info | {"check": reference_outputs(load_packed(draft), face)}))


def reference_outputs(run: Run, face: np.ndarray, device: str = "cpu") -> dict[str, list[float]]:
    """The codes and probabilities of one (S, S, 3) uint8 face by name."""
    outputs = encode_faces(run, np.array(face[None]), pick_device(device), ("expression", "rest", "probabilities"))
    return {name: [float(number) for number in values[0].reshape(-1)] for name, values in outputs.items()}


def _copy_without_path(path: Path, target: Path) -> None:
    """Copy a JSON file, if it exists, with the path of its faces cut to the file name."""
    if path.is_file():
        content = json.loads(path.read_text(encoding="utf-8"))
        write_text(target, json.dumps(content | {"faces": Path(content["faces"]).name}) + "\n")


def _move_into_place(draft: Path, folder: Path) -> None:
    try:
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror}", "choose another -o") from error


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(to_jsonable(content), indent=2, ensure_ascii=False) + "\n"
