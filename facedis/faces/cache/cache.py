"""Reading a faces cache: an HDF5 file of aligned faces with their labels."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import h5py
import numpy as np

from facedis.errors import CacheError
from facedis.faces.cache.cache_format import (
    REMAKE_HINT,
    SPLITS,
    STATUSES,
    USABLE,
    check_version,
    partial_path,
    read_attributes,
    system_message,
)
from facedis.faces.cache.pixel_storage import EncodedFaces, JoinedFaces, open_pixels

_USABLE_CODES = np.array([STATUSES.index(name) for name in USABLE], np.uint8)


class FacesCache:
    """A cache opened for reading; also a context manager.

    Attributes:
        info: Its `CacheInfo`.
        labels: (N,) int8 index into `info.classes`, -1 where unknown.
        identities: (N,) str, "" where unknown.
        splits: (N,) str, one of `SPLITS`.
        status: (N,) str, one of `STATUSES`.
        sources: (N,) str, path of the image below `info.source`.
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file
        self.info = read_attributes(file)
        self.labels: np.ndarray = file["label"][:]
        self.identities: np.ndarray = file["identity"].asstr()[:].astype(str)
        self.splits: np.ndarray = np.array(SPLITS)[file["split"][:]]
        self.sources: np.ndarray = file["source"].asstr()[:].astype(str)
        self._status_codes: np.ndarray = file["status"][:]
        self._pixels: np.ndarray | EncodedFaces | JoinedFaces = open_pixels(path, file)

    @classmethod
    def open(cls, path: Path | str) -> "FacesCache":
        """Open a finished cache.

        Raises:
            CacheError: The file is missing, truncated, not a faces cache, or of another version.
        """
        path = Path(path)
        if not path.exists():
            unfinished = partial_path(path).exists()
            hint = "run the same `facedis align` again to finish it" if unfinished else "make it with `facedis align`"
            raise CacheError(f"there is no faces cache {path}", hint)
        try:
            file = h5py.File(path, "r")
        except OSError as error:
            raise CacheError(f"{path} is not a readable faces cache: {system_message(error)}", REMAKE_HINT) from error
        try:
            check_version(path, file)
            return cls(path, file)
        except (KeyError, OSError, IndexError) as error:
            file.close()
            raise CacheError(f"{path} is a broken faces cache: {error}", REMAKE_HINT) from error
        except CacheError:
            file.close()
            raise

    def __enter__(self) -> "FacesCache":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def status(self) -> np.ndarray:
        """(N,) str, one of `STATUSES`."""
        return np.array(STATUSES)[self._status_codes]

    @property
    def usable(self) -> np.ndarray:
        """(N,) bool, whether the row has a face."""
        return np.isin(self._status_codes, _USABLE_CODES)

    @property
    def grey(self) -> bool:
        """Whether no usable face of the cache has colour."""
        return bool(self._file["grey"][:][self.usable].all())

    def column(self, name: str) -> np.ndarray:
        """Read a column of the file: "box", "landmarks", "probability", "grey", ..."""
        return self._file[name][:]

    @property
    def checksums(self) -> np.ndarray | None:
        """(N,) uint32 CRC-32 of each face as aligned; None if the faces are stored as JPEG."""
        return self.column("checksum") if "checksum" in self._file else None

    @property
    def factors(self) -> dict[str, np.ndarray]:
        """(N,) float32 per known factor, by name; empty for datasets without known factors."""
        return dict(zip(self.info.factors, self.column("factor").T, strict=True)) if self.info.factors else {}

    def rows(self, split: str = "all", labelled: bool = True) -> np.ndarray:
        """(n,) int, ascending indices of the usable rows of `split`, by default those with an expression."""
        chosen = self.usable
        if split != "all":
            chosen &= self.splits == split
        if labelled:
            chosen &= self.labels >= 0
        return np.flatnonzero(chosen)

    def faces(self, rows: np.ndarray) -> np.ndarray:
        """(n, S, S, 3) uint8 faces of `rows`, in that order."""
        return np.ascontiguousarray(self._pixels[rows])

    def batches(self, rows: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (rows, faces) in batches of at most `size`, in order."""
        for start in range(0, len(rows), size):
            piece = rows[start : start + size]
            yield piece, self.faces(piece)

    def close(self) -> None:
        """Close the file."""
        self._pixels = np.empty(0, np.uint8)  # releases the memory map
        self._file.close()
