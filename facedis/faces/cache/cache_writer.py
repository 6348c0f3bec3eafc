"""Writing a faces cache, row by row and resumable.

Everything known before detection (source, label, identity, split) is written when the file is
created. All arrays are allocated then, uncompressed and contiguous. Filling in rows only changes
bytes in place, so the file of a process that is killed at any time remains readable. The status of
a row is written after its pixels: a row that is not "pending" is complete.
"""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from facedis.datasets.record import FaceRecord
from facedis.errors import CacheError, OutputError
from facedis.faces.cache.cache_format import (
    SPLITS,
    STATUSES,
    CacheInfo,
    checksums,
    partial_path,
    system_message,
    write_attributes,
)
from facedis.faces.cache.hdf5 import Columns, create_hdf5


@dataclass(frozen=True)
class AlignedFaces:
    """The aligned faces of n consecutive images.

    Attributes:
        faces: (n, S, S, 3) uint8, zeros where there is no face.
        boxes: (n, 4) float32 left, top, right, bottom in the image, NaN where there is none.
        landmarks: (n, 5, 2) float32 x, y of eyes, nose, mouth corners, NaN where there are none.
        probability: (n,) float32 of the selected face, NaN where there is none.
        status: (n,) uint8 index into `STATUSES`.
        grey: (n,) bool, whether the face has no colour.
    """

    faces: np.ndarray
    boxes: np.ndarray
    landmarks: np.ndarray
    probability: np.ndarray
    status: np.ndarray
    grey: np.ndarray


class CacheWriter:
    """Writes the rows of a cache to `<output>.partial` and renames the file when it is complete.

    `create` makes the file and `resume` opens it. One process at a time may do so: the caller holds
    the lock of `output` (`facedis.locks.exclusive_lock`).
    """

    def __init__(self, columns: Columns, output: Path) -> None:
        self._columns = columns
        self._output = output

    @classmethod
    def create(cls, output: Path, info: CacheInfo, records: Sequence[FaceRecord], splits: Sequence[str]) -> None:
        """Create the unfinished cache of `records` with the status "pending" in every row.

        Raises:
            OutputError: The file cannot be written.
        """
        partial = partial_path(output)
        draft = partial.with_suffix(".draft")
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            with create_hdf5(draft) as file:
                write_attributes(file, info)
                _write_labels(file, info, records, splits)
                _allocate(file, len(records), info.size)
            os.replace(draft, partial)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise OutputError(f"cannot write {output}: {system_message(error)}", "choose another -o") from error

    @classmethod
    def resume(cls, output: Path) -> "CacheWriter":
        """Open the unfinished cache of `output`.

        Raises:
            CacheError: The file is broken.
        """
        partial = partial_path(output)
        try:
            return cls(Columns(partial, [name for name, *_ in _column_specs(0, 0)]), output)
        except (OSError, KeyError) as error:
            raise CacheError(
                f"{partial} cannot be continued: {system_message(error)}",
                "make it writable, or delete it to start again",
            ) from error

    @property
    def status(self) -> np.ndarray:
        """(n,) str, one of `STATUSES` per row."""
        return np.array(STATUSES)[self._columns.read("status")]

    @property
    def pending(self) -> np.ndarray:
        """(n,) int, indices of the pending rows in ascending order."""
        return np.flatnonzero(self.status == "pending")

    def write(self, first: int, rows: AlignedFaces) -> None:
        """Write `rows` from row `first` on; their status is written last."""
        try:
            for name, values in (
                ("face", rows.faces),
                ("box", rows.boxes),
                ("landmarks", rows.landmarks),
                ("probability", rows.probability),
                ("grey", rows.grey),
                ("checksum", checksums(rows.faces)),
                ("status", rows.status),
            ):
                self._columns.write(name, first, values)
        except OSError as error:
            raise OutputError(
                f"cannot write {partial_path(self._output)}: {system_message(error)}",
                "free disk space and run the same command again to continue",
            ) from error

    def finish(self) -> None:
        """Close the complete cache and rename it to its final name.

        Raises:
            CacheError: A row is pending.
            OutputError: The file has been replaced or deleted, or cannot be renamed.
        """
        partial, pending = partial_path(self._output), len(self.pending)
        own = self._columns.is_file(partial)
        self.close()
        if pending:
            raise CacheError(f"{pending:,} rows of {partial} are pending", "run the same command again to continue")
        if not own:
            raise OutputError(f"{partial} was replaced or deleted by another process", "run the same command again")
        try:
            os.replace(partial, self._output)
        except OSError as error:
            raise OutputError(f"cannot write {self._output}: {system_message(error)}", "choose another -o") from error

    def close(self) -> None:
        """Close the file; it can be resumed."""
        self._columns.close()


def _write_labels(file: h5py.File, info: CacheInfo, records: Sequence[FaceRecord], splits: Sequence[str]) -> None:
    index = {name: number for number, name in enumerate(info.classes)}
    text = h5py.string_dtype()
    file.create_dataset("source", data=[record.image for record in records], dtype=text)
    file.create_dataset("identity", data=[record.identity for record in records], dtype=text)
    file.create_dataset("dataset", data=[info.dataset] * len(records), dtype=text)
    label = file.create_dataset("label", data=[index.get(record.expression, -1) for record in records], dtype=np.int8)
    label.attrs["names"] = list(info.classes)
    split = file.create_dataset("split", data=[SPLITS.index(name) for name in splits], dtype=np.uint8)
    split.attrs["names"] = list(SPLITS)
    if info.factors:
        file.create_dataset("factor", data=np.array([record.factors for record in records], np.float32))


def _column_specs(n: int, size: int) -> tuple[tuple[str, tuple[int, ...], type, float], ...]:
    """Name, shape, type and initial value of every column that an alignment fills in."""
    return (
        ("face", (n, size, size, 3), np.uint8, 0),
        ("box", (n, 4), np.float32, np.nan),
        ("landmarks", (n, 5, 2), np.float32, np.nan),
        ("probability", (n,), np.float32, np.nan),
        ("status", (n,), np.uint8, 0),
        ("grey", (n,), np.bool_, False),
        ("checksum", (n,), np.uint32, 0),
    )


def _allocate(file: h5py.File, n: int, size: int) -> None:
    for name, shape, dtype, fill in _column_specs(n, size):
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_layout(h5py.h5d.CONTIGUOUS)
        creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        creation.set_fill_value(np.array(fill, dtype))
        if name == "face":  # unwritten parts of a file are zeros already
            creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple(shape)
        h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(np.dtype(dtype)), space, creation)
    file["status"].attrs["names"] = list(STATUSES)
