"""HDF5 files written so that a full disk is an error like any other.

HDF5 cannot let go of a file that it failed to write: it tries again when the process ends, and
crashes. So a new file is written through a stand-in that takes everything once the disk has
error, and an unfinished cache is filled in without HDF5, at the places where its columns lie.
"""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

try:
    import fcntl
except ImportError:  # Windows: nothing keeps a second process away there
    fcntl = None


@contextmanager
def create_hdf5(path: Path) -> Iterator[h5py.File]:
    """A new HDF5 file at `path`, in place of what was there.

    Raises:
        OSError: The disk refuses, or another process is writing the file.
    """
    with _open_locked(path, os.O_CREAT) as raw:
        buffer = _DeferredErrorFile(raw)
        buffer.truncate(0)  # not before it is certain that nobody else is writing
        try:
            with h5py.File(buffer, "w") as file:
                yield file
        except Exception:
            if buffer.error:
                raise buffer.error from None
            raise
        if buffer.error:
            raise buffer.error


class Columns:
    """Columns of an HDF5 file, each in one piece, to be filled in row by row.

    When `write` returns the rows are in the file for every process, whatever becomes of this one.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        """Open the columns `names` of the file at `path`.

        Raises:
            OSError: It does not open: broken, or another process is writing it.
            KeyError: It has no such column.
        """
        with h5py.File(path, "r") as file:
            self._layout = {name: (file[name].id.get_offset(), file[name].dtype, file[name].shape) for name in names}
        self._raw = _open_locked(path)

    def write(self, name: str, first: int, values: np.ndarray) -> None:
        """Put `values` into the column `name` from row `first` on.

        Raises:
            OSError: The disk refuses; rows may be half written then.
        """
        offset, dtype, shape = self._layout[name]
        self._raw.seek(offset + first * dtype.itemsize * int(np.prod(shape[1:])))
        _write_all(self._raw, np.ascontiguousarray(values, dtype).tobytes())

    def read(self, name: str) -> np.ndarray:
        """The whole column `name`."""
        offset, dtype, shape = self._layout[name]
        self._raw.seek(offset)
        return np.fromfile(self._raw, dtype, int(np.prod(shape))).reshape(shape)

    def close(self) -> None:
        """Let go of the file."""
        self._raw.close()


class _DeferredErrorFile:
    """A file for HDF5 that refuses nothing, and remembers what the disk error."""

    def __init__(self, raw: io.FileIO) -> None:
        self._raw = raw
        self.error: OSError | None = None
        self.seek, self.tell, self.read, self.readinto, self.flush = (
            getattr(raw, name) for name in ("seek", "tell", "read", "readinto", "flush")
        )

    def write(self, data: memoryview) -> int:
        if self.error is None:
            try:
                _write_all(self._raw, data)
            except OSError as error:
                self.error = error
        return len(data)

    def truncate(self, size: int) -> int:
        if self.error is None:
            try:
                self._raw.truncate(size)
            except OSError as error:
                self.error = error
        return size


def _open_locked(path: Path, flags: int = 0) -> io.FileIO:
    """The file to read and write, no other process writing it."""
    raw = io.FileIO(os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0) | flags, 0o666), "r+")
    if fcntl:
        try:
            fcntl.lockf(raw, fcntl.LOCK_EX | fcntl.LOCK_NB)  # not the lock of HDF5: readers may look on
        except OSError:
            raw.close()
            raise
    return raw


def _write_all(raw: io.FileIO, data: bytes | memoryview) -> None:
    """A disk that fills up takes a part first, and refuses only what comes next."""
    left = memoryview(data).cast("B")
    while left:
        left = left[raw.write(left) :]
