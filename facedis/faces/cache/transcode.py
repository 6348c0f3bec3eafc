"""Conversion of a faces cache between raw, PNG and JPEG storage."""

import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np
from PIL import Image

from facedis.atomic_io import atomic_write
from facedis.errors import ConfigError, OutputError
from facedis.events import EventHandler, ignore_events, track
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.hdf5 import create_hdf5
from facedis.faces.cache.pixel_storage import ENDS, FILES, STORAGES
from facedis.result import record

#: Faces per batch.
_BATCH_SIZE = 256
_COPY_BYTES = 4_000_000
_PIXEL_DATASETS = ("face", FILES, ENDS)


def transcode(
    path: Path, output: Path, storage: str, quality: int = 95, handler: EventHandler = ignore_events
) -> dict[str, Any]:
    """Write a copy of the cache at `path` with another storage of its faces.

    Args:
        path: A cache of any storage, joined caches included.
        output: Output file; may not be `path`.
        storage: "raw" (fastest), "png" (lossless, smaller) or "jpeg" (lossy, smallest).
        quality: JPEG quality, 1 to 100.
        handler: Receives the progress events.

    Returns:
        The result record of kind "packing".

    Raises:
        CacheError: `path` is not a faces cache.
        ConfigError: The storage or the quality does not exist.
        OutputError: `output` is `path` or cannot be written.
    """
    if storage not in STORAGES:
        raise ConfigError(f"faces cannot be stored as '{storage}'", f"choose one of: {', '.join(STORAGES)}")
    if not 1 <= quality <= 100:
        raise ConfigError(f"the JPEG quality is {quality}", "choose one from 1 to 100")
    with FacesCache.open(path) as cache:
        if output.exists() and os.path.samefile(path, output):
            raise OutputError(f"{output} is the input file", "choose another -o")
        with atomic_write(output) as temporary, h5py.File(path, "r") as source, create_hdf5(temporary) as target:
            _copy_columns(source, target, exact=storage != "jpeg")
            target.attrs["storage"] = storage
            faces = _iter_faces(cache, handler)
            if storage == "raw":
                _write_raw(target, cache, faces)
            else:
                _write_files(target, faces, cache, storage, quality, output.parent)
        before, after = Path(path).stat().st_size, output.stat().st_size
        return record(
            "packing", faces=str(path), output=str(output), rows=len(cache), storage=storage, before=before, after=after
        )


def _copy_columns(source: h5py.File, target: h5py.File, exact: bool) -> None:
    for name, value in source.attrs.items():
        target.attrs[name] = value
    for name in source:
        if name not in _PIXEL_DATASETS and (exact or name != "checksum"):
            source.copy(name, target)


def _iter_faces(cache: FacesCache, handler: EventHandler) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    with track(handler, "transcode", len(cache)) as progress:
        for rows, faces in cache.batches(np.arange(len(cache)), _BATCH_SIZE):
            yield rows, faces
            progress.advance(len(rows))


def _write_raw(target: h5py.File, cache: FacesCache, faces: Iterator[tuple[np.ndarray, np.ndarray]]) -> None:
    data = target.create_dataset("face", (len(cache), cache.info.size, cache.info.size, 3), np.uint8)
    for rows, pixels in faces:
        data[rows[0] : rows[-1] + 1] = pixels


def _write_files(
    target: h5py.File,
    faces: Iterator[tuple[np.ndarray, np.ndarray]],
    cache: FacesCache,
    storage: str,
    quality: int,
    folder: Path,
) -> None:
    """Write the faces as image files, collected in a temporary file to know the size of the dataset."""
    usable, grey, ends = cache.usable, cache.column("grey"), []
    with tempfile.TemporaryFile(dir=folder) as store:
        for rows, pixels in faces:
            for row, face in zip(rows, pixels, strict=True):
                if usable[row]:
                    store.write(_encode(face, bool(grey[row]), storage, quality))
                ends.append(store.tell())
        target.create_dataset(ENDS, data=np.array(ends, np.uint64))
        data = target.create_dataset(FILES, (store.tell(),), np.uint8)
        store.seek(0)
        _copy_file(data, store)


def _encode(face: np.ndarray, grey: bool, storage: str, quality: int) -> bytes:
    """Encode a face as an image file, with one channel if it is grey, which keeps it exactly grey."""
    file = io.BytesIO()
    image = Image.fromarray(face[..., 0] if grey else face)
    image.save(file, storage.upper(), **({"quality": quality} if storage == "jpeg" else {}))
    return file.getvalue()


def _copy_file(data: h5py.Dataset, store: BinaryIO) -> None:
    offset = 0
    while block := store.read(_COPY_BYTES):
        data[offset : offset + len(block)] = np.frombuffer(block, np.uint8)
        offset += len(block)
