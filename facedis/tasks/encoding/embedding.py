"""Write the codes of a faces cache or of a folder of images to a file."""

import csv
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from facedis.errors import ConfigError, InputError
from facedis.events import EventHandler, ignore_events, track, warn
from facedis.faces.alignment.align_images import CropOptions
from facedis.faces.alignment.sources import ID_COLUMNS, FaceSource, faces_from_cache, faces_from_folder
from facedis.faces.cache.cache import FacesCache
from facedis.model.device import pick_device
from facedis.model.storage.checkpoint import Run
from facedis.result import Result
from facedis.tasks.encoding.codes_file import COLUMNS, CodesWriter, checked_suffix, codes_writer, open_codes
from facedis.tasks.encoding.encode import encode_faces, resolve_codes
from facedis.tasks.inference import InferenceOptions

#: Most images without a face that the record lists.
MAX_LISTED = 20


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class EmbeddingResult(Result):
    """A file of codes.

    Attributes:
        model: Name of the model.
        faces: The cache or folder that was encoded.
        dataset: Name of the reader; "" for a plain folder of images.
        split: The split, or "all".
        n: Faces in the file.
        rows: Images of the source.
        classes: Expressions of the model.
        codes: Size of each code by column.
        several: Images with several faces, of which the largest was taken.
        left_out: Images without a face.
        problems: The first of them, each with `image` and `why`.
        rate: Images per second.
        bytes: Size of the file.
        output: Path of the file.
    """

    kind: ClassVar[str] = "embedding"

    model: str
    faces: str
    dataset: str
    split: str
    n: int
    rows: int
    classes: tuple[str, ...]
    codes: Mapping[str, int]
    several: int
    left_out: int
    problems: Sequence[Mapping[str, str]]
    rate: float
    bytes: int
    output: str

    def table_rows(self) -> Sequence[Mapping[str, Any]]:
        """One row per face, with the columns of the CSV format."""
        path = Path(self.output)
        if path.suffix.lower() == ".csv":
            with path.open(encoding="utf-8", newline="") as text:
                return [_typed(row) for row in csv.DictReader(text)]
        file = open_codes(path)
        indices = np.arange(file.total)
        columns = {name: values.tolist() for name, values in file.ids(indices).items()}
        for code in file.codes:
            values = file.take(code, indices)
            columns |= {f"{COLUMNS[code]}_{i}": values[:, i].tolist() for i in range(values.shape[1])}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def summary(self) -> Mapping[str, object]:
        """The file and the codes in it."""
        return {"codes": dict(self.codes), "output": self.output}


def embed(
    run: Run,
    path: Path | str,
    output: Path | str,
    code: str = "both",
    split: str = "all",
    options: InferenceOptions | None = None,
    handler: EventHandler = ignore_events,
) -> EmbeddingResult:
    """Write the codes of a faces cache or of a folder of images to a file.

    Args:
        run: The model.
        path: A faces cache, or a folder of images.
        output: The .parquet, .npz or .csv file, written atomically.
        code: "expression", "rest", "trunk", "both" (codes) or "all".
        split: "train", "val", "test" or "all"; of a cache only.
        options: Device, batch size (of a cache) and crop (of a folder).
        handler: Receives progress, and a warning about images without a face.

    Raises:
        ConfigError: Unknown code, split or format.
        RunError: The rest code of a model without one is requested.
        InputError: There is no image, or no image has a face.
        CacheError: The split has no usable face.
        OutputError: The file cannot be written.
    """
    path, output, options = Path(path), Path(output), options or InferenceOptions()
    names = resolve_codes(run, code)
    if split not in ("all", "train", "val", "test"):
        raise ConfigError(f"--split is '{split}'", "choose one of: train, val, test, all")
    checked_suffix(output)
    with ExitStack() as stack:
        if path.is_dir():
            source = faces_from_folder(path, CropOptions.from_info(run.info["faces"]), options.crop, options.device)
        else:
            source = faces_from_cache(stack.enter_context(FacesCache.open(path)), split, options.batch_size)
        metadata = {"model": run.display_name, "fingerprint": run.fingerprint, "classes": list(run.classes)}
        metadata |= {"source": str(source.root), "codes": [COLUMNS[name] for name in names]}
        start = time.perf_counter()
        with codes_writer(output, metadata) as writer:
            written = _write(run, source, names, options.device, writer, handler)
    if written.problems:
        image, why = written.problems[0]
        warn(handler, f"left out {len(written.problems):,} of {source.total:,} images, the first is {image}: {why}")
    return EmbeddingResult(
        model=run.display_name,
        faces=str(path),
        dataset=source.dataset,
        split=split,
        n=written.faces,
        rows=source.total,
        classes=run.classes,
        codes=written.sizes,
        several=written.several,
        left_out=len(written.problems),
        problems=[{"image": image, "why": why} for image, why in written.problems[:MAX_LISTED]],
        rate=source.total / (time.perf_counter() - start),
        bytes=output.stat().st_size,
        output=str(output),
    )


@dataclass
class _Written:
    """Counts of what has been written."""

    faces: int = 0
    several: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)


def _write(
    run: Run, source: FaceSource, names: tuple[str, ...], device: str, writer: CodesWriter, handler: EventHandler
) -> _Written:
    written, torch_device = _Written(), pick_device(device)
    with track(handler, "embedding", source.total) as progress:
        for block in source.blocks:
            if len(block.faces):
                codes = encode_faces(run, block.faces, torch_device, names)
                writer.add(block.ids, codes)
                written.sizes = {COLUMNS[name]: values.shape[1] for name, values in codes.items()}
            written.faces += len(block.faces)
            written.several += block.n_multiple
            written.problems += block.problems
            progress.advance(block.n_images)
    if not written.faces:
        image, why = written.problems[0]
        raise InputError(
            f"none of the {progress.done:,} images of {source.path} has a usable face; the first is {image}: {why}",
            "add --crop none if the images are cropped faces",
        )
    return written


def _typed(row: Mapping[str, str]) -> dict[str, Any]:
    """A row of a CSV file with its numbers as numbers."""
    return {
        name: int(text) if name == "row" else text if name in ID_COLUMNS else float(text) for name, text in row.items()
    }
