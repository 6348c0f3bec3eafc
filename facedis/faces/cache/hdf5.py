"""Writing HDF5 files so that a full disk raises an ordinary OSError.

After a failed write the HDF5 library retries when the process exits, and crashes. New files are
therefore written through a file object that defers errors, and the columns of an unfinished cache
are written at their offsets without HDF5.
"""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np


@contextmanager
def create_hdf5(path: Path) -> Iterator[h5py.File]:
    """Create an HDF5 file at `path`, replacing an existing file.

    Raises:
        OSError: Writing fails.
    """
    with _open(path, os.O_CREAT | os.O_TRUNC) as raw:
        buffer = _DeferredErrorFile(raw)
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
    """Contiguous columns of an HDF5 file, filled in row by row.

    When `write` returns, the rows are in the file even if this process is killed.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        """Open the columns `names` of the file at `path`.

        Raises:
            OSError: The file is broken.
            KeyError: A column does not exist.
        """
        with h5py.File(path, "r") as file:
            self._layout = {name: (file[name].id.get_offset(), file[name].dtype, file[name].shape) for name in names}
        self._raw = _open(path)

    def write(self, name: str, first: int, values: np.ndarray) -> None:
        """Write `values` to the column `name` from row `first` on.

        Raises:
            OSError: Writing fails; rows may be partly written.
        """
        offset, dtype, shape = self._layout[name]
        self._raw.seek(offset + first * dtype.itemsize * int(np.prod(shape[1:])))
        _write_all(self._raw, np.ascontiguousarray(values, dtype).tobytes())

    def read(self, name: str) -> np.ndarray:
        """Read the whole column `name`."""
        offset, dtype, shape = self._layout[name]
        self._raw.seek(offset)
        return np.fromfile(self._raw, dtype, int(np.prod(shape))).reshape(shape)

    def is_file(self, path: Path) -> bool:
        """Whether `path` names the open file."""
        return path.exists() and os.path.samestat(os.fstat(self._raw.fileno()), path.stat())

    def close(self) -> None:
        """Close the file."""
        self._raw.close()


class _DeferredErrorFile:
    """A file object whose writes never fail; `error` keeps the first error, later writes are ignored."""

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


def _open(path: Path, flags: int = 0) -> io.FileIO:
    """Open a file for reading and writing."""
    return io.FileIO(os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0) | flags, 0o666), "r+")


def _write_all(raw: io.FileIO, data: bytes | memoryview) -> None:
    """Write all of `data`; on a full disk the first write is partial and only the next one fails."""
    left = memoryview(data).cast("B")
    while left:
        left = left[raw.write(left) :]
