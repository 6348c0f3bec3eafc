"""The codes of any number of faces into one file, in the memory of a few of them."""

import shlex
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facedis.errors import ConfigError, InputError, RunError
from facedis.events import Event, EventHandler, ignore_events, warn
from facedis.faces.alignment.sources import Source, from_cache, from_folder
from facedis.faces.cache.cache import FacesCache
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run
from facedis.result import record
from facedis.tasks.encoding.codes_file import COLUMNS, CodesWriter, checked_suffix, codes_writer
from facedis.tasks.encoding.encode import CODES, encode_faces

#: What the user may ask for, and the codes that it means.
CODE_CHOICES = {
    "expression": ("expression",),
    "rest": ("rest",),
    "trunk": ("trunk",),
    "both": ("expression", "rest"),
} | {"all": CODES}
#: Most images without a face that the record lists.
MAX_LISTED = 20


def embed(
    run: Run,
    place: Path,
    output: Path,
    code: str = "both",
    split: str = "all",
    crop: str | None = None,
    batch: int = 128,
    device: str = "auto",
    handler: EventHandler = ignore_events,
) -> dict[str, Any]:
    """Write the codes of a faces cache or of a folder of images.

    Args:
        run: The model.
        place: A faces cache, or a folder.
        output: The file, .parquet, .npz or .csv, whole or not at all.
        code: A name of `CODE_CHOICES`.
        split: Of a cache: train, val, test or all.
        crop: Of a folder: how faces are cut out; None as the run's own were.
        batch: Faces of a cache at a time.
        device: As in the settings.
        handler: Told of the progress, and of images without a face.

    Returns:
        The record of kind "embedding".

    Raises:
        ConfigError: An unknown code, split or format.
        RunError: The model has no rest code and it was asked for.
        InputError: There is no image, or no face in any.
        CacheError: The cache has no face in the split.
        OutputError: The file cannot be written.
    """
    wanted = resolve_codes(run, code)
    if split not in ("all", "train", "val", "test"):
        raise ConfigError(f"--split is '{split}'", "choose one of: train, val, test, all")
    if batch < 1:
        raise ConfigError(f"--batch is {batch}", "it must be at least 1")
    checked_suffix(output)
    with ExitStack() as stack:
        if place.is_dir():
            source = from_folder(run, place, crop, device)
        else:
            source = from_cache(stack.enter_context(FacesCache.open(place)), split, batch)
        about = {"model": run.display_name, "fingerprint": run.fingerprint, "classes": list(run.classes)}
        about |= {"source": str(source.root), "codes": [COLUMNS[name] for name in wanted]}
        began = time.perf_counter()
        with codes_writer(output, about) as writer:
            written = _write(run, source, wanted, device, writer, handler)
    if written.problems:
        image, why = written.problems[0]
        warn(handler, f"left out {len(written.problems):,} of {source.total:,} images, the first is {image}: {why}")
    return record(
        "embedding",
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        model=run.display_name,
        faces=str(place),
        dataset=source.dataset,
        split=split,
        n=written.faces,
        rows=source.total,
        classes=run.classes,
        codes=written.sizes,
        several=written.several,
        left_out=len(written.problems),
        problems=[{"image": image, "why": why} for image, why in written.problems[:MAX_LISTED]],
        rate=source.total / (time.perf_counter() - began),
        bytes=output.stat().st_size,
        output=str(output),
    )


def resolve_codes(run: Run, code: str) -> tuple[str, ...]:
    """The names of `CODES` that `code`, a name of `CODE_CHOICES`, means.

    Raises:
        ConfigError: There is no such code.
        RunError: `run` has no rest code and it was asked for.
    """
    if code not in CODE_CHOICES:
        raise ConfigError(f"--code is '{code}'", f"choose one of: {', '.join(CODE_CHOICES)}")
    if "rest" in CODE_CHOICES[code] and run.model.rest_branch is None:
        raise RunError(f"{run.display_name} is a baseline without a rest code", "ask for --code expression or trunk")
    return CODE_CHOICES[code]


@dataclass
class _Written:
    """What has been written so far."""

    faces: int = 0
    several: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)


def _write(
    run: Run, source: Source, wanted: tuple[str, ...], device: str, writer: CodesWriter, handler: EventHandler
) -> _Written:
    written, looked, place = _Written(), 0, pick_device(device)
    handler(Event("start", "embedding", total=source.total))
    for block in source.blocks:
        if len(block.faces):
            codes = encode_faces(run, block.faces, place, wanted)
            writer.add(block.ids, codes)
            written.sizes = {COLUMNS[name]: values.shape[1] for name, values in codes.items()}
        written.faces += len(block.faces)
        written.several += block.several
        written.problems += block.problems
        looked += block.n
        handler(Event("advance", "embedding", done=looked))
    handler(Event("end", "embedding", done=looked))
    if not written.faces:
        image, why = written.problems[0]
        raise InputError(
            f"none of the {looked:,} images of {source.place} has a face to use; the first is {image}: {why}",
            "add --crop none if they are cropped faces already",
        )
    return written
