"""How the faces of a cache are stored, behind one way to read them: `pixels[rows]`.

"raw" faces are one array in the file. "png" (lossless) and "jpeg" faces are image files, one behind
the other. A joined cache has none of its own and points to those of its shards.
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
#: Datasets of encoded faces: the files, and the byte behind the last one of each row.
FILES, ENDS = "face_files", "face_ends"


class EncodedFaces:
    """Faces that are image files in the cache.

    Args:
        files: (bytes,) uint8, all files.
        ends: (N,) Byte behind each row's file; a row without a face has an empty one.
        size: Side of a face.
    """

    def __init__(self, files: np.ndarray, ends: np.ndarray, size: int) -> None:
        self._files, self._size = files, size
        self._places = np.concatenate([[0], ends]).astype(np.int64)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        faces = np.zeros((len(rows), self._size, self._size, 3), np.uint8)
        for place, row in enumerate(rows):
            first, last = self._places[row], self._places[row + 1]
            if last > first:
                with Image.open(io.BytesIO(self._files[first:last].tobytes())) as image:
                    faces[place] = np.asarray(image.convert("RGB"))
        return faces


class JoinedFaces:
    """The faces of several files as if they were one.

    Args:
        parts: The raw faces of each, in order.
    """

    def __init__(self, parts: Sequence[np.ndarray]) -> None:
        self._parts = parts
        self._ends = np.cumsum([len(part) for part in parts])

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        faces = np.empty((len(rows), *self._parts[0].shape[1:]), np.uint8)
        owners = np.searchsorted(self._ends, rows, side="right")
        for number in np.unique(owners):
            mine, part = owners == number, self._parts[number]
            faces[mine] = part[rows[mine] - (self._ends[number] - len(part))]
        return faces


def storage_format(file: h5py.File) -> str:
    """One of `STORAGES`."""
    return str(file.attrs.get("storage", "raw"))


def open_pixels(path: Path, file: h5py.File) -> np.ndarray | EncodedFaces | JoinedFaces:
    """The faces of the open cache `file` at `path`, to be read by row.

    Raises:
        CacheError: It is a joined cache and one of its shards is missing or another one.
    """
    if storage_format(file) != "raw":
        return EncodedFaces(memory_map(path, file[FILES]), file[ENDS][:], int(file.attrs["size"]))
    data = file["face"]
    if not data.is_virtual:
        return memory_map(path, data)
    return JoinedFaces([_open_shard(path, source) for source in sorted(data.virtual_sources(), key=_first_row)])


def memory_map(path: Path, data: h5py.Dataset) -> np.ndarray:
    """`data` of the file at `path` as a memory map: any part at the disk's own speed, no HDF5 selection costs."""
    offset = data.id.get_offset()
    if offset is None:  # no rows, or stored in chunks
        return data[:]
    return np.memmap(path, data.dtype, "r", offset, data.shape)


def _first_row(source: Any) -> int:
    return int(source.vspace.get_select_bounds()[0][0])


def _open_shard(path: Path, source: Any) -> np.ndarray:
    place = path.parent / source.file_name
    rows = int(source.vspace.get_select_bounds()[1][0]) + 1 - _first_row(source)
    try:
        with h5py.File(place, "r") as file:
            faces = memory_map(place, file[source.dset_name])
    except (OSError, KeyError) as error:
        raise CacheError(f"{path} is joined of shards, and {place} cannot be read", "put it back beside it") from error
    if len(faces) != rows:
        raise CacheError(f"{place} is not the shard that {path} was joined of", "align and join again")
    return faces
