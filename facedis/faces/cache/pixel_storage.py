"""Storage of the faces of a cache; every storage is read by `pixels[rows]`.

"raw" faces are one array. "png" (lossless) and "jpeg" faces are concatenated image files. A joined
cache refers to the raw faces of its shards.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PIL import Image

from facedis.errors import CacheError

STORAGES = ("raw", "png", "jpeg")
#: Datasets of encoded faces: the concatenated files, and the end offset of each row's file.
FILES, ENDS = "face_files", "face_ends"


class EncodedFaces:
    """Faces stored as image files.

    Args:
        files: (bytes,) uint8, the concatenated files.
        ends: (N,) End offset of each row's file; the file of a row without a face is empty.
        size: Side of a face in pixels.
    """

    def __init__(self, files: np.ndarray, ends: np.ndarray, size: int) -> None:
        self._files, self._size = files, size
        self._offsets = np.concatenate([[0], ends]).astype(np.int64)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        faces = np.zeros((len(rows), self._size, self._size, 3), np.uint8)
        for index, row in enumerate(rows):
            first, last = self._offsets[row], self._offsets[row + 1]
            if last > first:
                with Image.open(io.BytesIO(self._files[first:last].tobytes())) as image:
                    faces[index] = np.asarray(image.convert("RGB"))
        return faces


class JoinedFaces:
    """The concatenated faces of several files.

    Args:
        parts: Raw faces of each file, in order.
    """

    def __init__(self, parts: Sequence[np.ndarray]) -> None:
        self._parts = parts
        self._ends = np.cumsum([len(part) for part in parts])

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        faces = np.empty((len(rows), *self._parts[0].shape[1:]), np.uint8)
        part_indices = np.searchsorted(self._ends, rows, side="right")
        for number in np.unique(part_indices):
            selected, part = part_indices == number, self._parts[number]
            faces[selected] = part[rows[selected] - (self._ends[number] - len(part))]
        return faces


def storage_format(file: h5py.File) -> str:
    """Return the storage of an open cache, one of `STORAGES`."""
    return str(file.attrs.get("storage", "raw"))


def open_pixels(path: Path, file: h5py.File) -> np.ndarray | EncodedFaces | JoinedFaces:
    """Open the faces of the cache `file` at `path` for reading by row.

    Raises:
        CacheError: A shard of a joined cache is missing or has changed.
    """
    if storage_format(file) != "raw":
        return EncodedFaces(memory_map(path, file[FILES]), file[ENDS][:], int(file.attrs["size"]))
    data = file["face"]
    if not data.is_virtual:
        return memory_map(path, data)
    return JoinedFaces([_open_shard(path, source) for source in sorted(data.virtual_sources(), key=_first_row)])


def memory_map(path: Path, data: h5py.Dataset) -> np.ndarray:
    """Map the contiguous dataset `data` of the file at `path` into memory; faster than HDF5 selections."""
    offset = data.id.get_offset()
    if offset is None:  # no rows, or stored in chunks
        return data[:]
    return np.memmap(path, data.dtype, "r", offset, data.shape)


def _first_row(source: Any) -> int:
    return int(source.vspace.get_select_bounds()[0][0])


def _open_shard(path: Path, source: Any) -> np.ndarray:
    shard = path.parent / source.file_name
    rows = int(source.vspace.get_select_bounds()[1][0]) + 1 - _first_row(source)
    try:
        with h5py.File(shard, "r") as file:
            faces = memory_map(shard, file[source.dset_name])
    except (OSError, KeyError) as error:
        raise CacheError(
            f"{shard}, a shard of {path}, cannot be read", "restore it to the folder of the joined cache"
        ) from error
    if len(faces) != rows:
        raise CacheError(f"{shard} has changed since it was joined to {path}", "align and join again")
    return faces
