"""The faces cache: one HDF5 file, self-describing, of fixed shape from its first moment on.

Everything that is known before detection (source, label, identity, split) is written when the file
is made, and all arrays are allocated then, uncompressed and in one piece. Filling in rows later
changes nothing but their bytes, so a process killed at any moment leaves a file that opens; `status`
is written after the pixels of its rows, so a row that is not "pending" is whole.
"""

import contextlib
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import h5py
import numpy as np

from facedis import __version__
from facedis.datasets.record import FaceRecord
from facedis.errors import CacheError, OutputError
from facedis.faces.cache.hdf5 import Columns, create_hdf5
from facedis.faces.cache.pixel_storage import open_pixels

FORMAT = "facedis-faces"
VERSION = 1
SPLITS = ("", "train", "val", "test")
STATUSES = (
    "pending",
    "ok",
    "several",  # several faces found, one chosen by the policy
    "whole",  # no face found, the whole image stands in
    "no_face",
    "unreadable",
    "too_small",
    "too_large",
    "missing",
)
#: Rows with one of these have a face.
USABLE = ("ok", "several", "whole")
_USABLE_CODES = np.array([STATUSES.index(name) for name in USABLE], np.uint8)


@dataclass(frozen=True, kw_only=True)
class CacheInfo:
    """What a cache says about itself: its HDF5 attributes.

    Attributes:
        classes: Expression names; a row's label is an index into them.
        size: Side of a face in pixels.
        crop: "box", "similarity" or "none".
        margin: As `AlignConfig.margin`.
        detector: Name of the detector, "none" where none ran.
        dataset: Name of the reader.
        source: The folder that was read.
        fingerprint: Hash of the source's records and of the settings that shape a row.
        settings: The resolved `AlignConfig` as JSON.
        facedis: Version that made it.
        factors: Names of the columns of "factor", where the dataset knows more of a face.
    """

    classes: tuple[str, ...]
    size: int
    crop: str
    margin: float
    detector: str
    dataset: str
    source: str
    fingerprint: str
    settings: str
    facedis: str = __version__
    factors: tuple[str, ...] = ()


@dataclass(frozen=True)
class AlignedFaces:
    """The result of aligning n consecutive images, ready to be written.

    Attributes:
        faces: (n, S, S, 3) uint8, zeros where there is no face.
        boxes: (n, 4) float32 left, top, right, bottom in the image, NaN where there is none.
        landmarks: (n, 5, 2) float32 x, y of eyes, nose, mouth corners, NaN where there are none.
        probability: (n,) float32 of the chosen face, NaN where there is none.
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
    """Fills a cache row by row and gives it its name when it is complete.

    Works on `<output>.partial`, which `create` makes and `resume` opens.
    """

    def __init__(self, columns: Columns, output: Path) -> None:
        self._columns = columns
        self._output = output

    @classmethod
    def create(cls, output: Path, info: CacheInfo, records: Sequence[FaceRecord], splits: Sequence[str]) -> None:
        """Make the unfinished cache for `records` with every row "pending".

        Raises:
            OutputError: The place cannot be written.
        """
        partial = partial_path(output)
        draft = partial.with_suffix(".draft")
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            with create_hdf5(draft) as file:
                _write_attributes(file, info)
                _write_labels(file, info, records, splits)
                _allocate(file, len(records), info.size)
            os.replace(draft, partial)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise OutputError(f"cannot write {output}: {_system_message(error)}", "choose another -o") from error

    @classmethod
    def resume(cls, output: Path) -> "CacheWriter":
        """Open the unfinished cache of `output`.

        Raises:
            CacheError: It does not open (broken, or another process is writing it).
        """
        partial = partial_path(output)
        try:
            return cls(Columns(partial, [name for name, *_ in _column_specs(0, 0)]), output)
        except BlockingIOError as error:
            raise CacheError(f"{partial} is being written by another process", "wait for it to end") from error
        except (OSError, KeyError) as error:
            raise CacheError(
                f"{partial} cannot be continued: {_system_message(error)}",
                "make it writable, or delete it to start again",
            ) from error

    @property
    def status(self) -> np.ndarray:
        """(n,) str, one of `STATUSES` for every row."""
        return np.array(STATUSES)[self._columns.read("status")]

    @property
    def pending(self) -> np.ndarray:
        """(n,) Indices of the rows still to do, rising."""
        return np.flatnonzero(self.status == "pending")

    def write(self, first: int, rows: AlignedFaces) -> None:
        """Write `rows` from row `first` on; they count as done only when all their pixels are in the file."""
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
                f"cannot write {partial_path(self._output)}: {_system_message(error)}",
                "make room; the same command goes on",
            ) from error

    def finish(self) -> None:
        """Give the complete cache its name."""
        self.close()
        os.replace(partial_path(self._output), self._output)

    def close(self) -> None:
        """Close the file; what was written stays and can be resumed."""
        self._columns.close()


class FacesCache:
    """A cache opened for reading; a context manager.

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
        self.info = _read_attributes(file)
        self.labels: np.ndarray = file["label"][:]
        self.identities: np.ndarray = file["identity"].asstr()[:].astype(str)
        self.splits: np.ndarray = np.array(SPLITS)[file["split"][:]]
        self.sources: np.ndarray = file["source"].asstr()[:].astype(str)
        self._status_codes: np.ndarray = file["status"][:]
        self._pixels = open_pixels(path, file)

    @classmethod
    def open(cls, path: Path | str) -> "FacesCache":
        """Open a finished cache.

        Raises:
            CacheError: It is missing, not a faces cache, truncated, or of another version.
        """
        path = Path(path)
        if not path.exists():
            unfinished = partial_path(path).exists()
            hint = "run the same `facedis align` again to finish it" if unfinished else "make it with `facedis align`"
            raise CacheError(f"there is no faces cache {path}", hint)
        try:
            file = h5py.File(path, "r")
        except OSError as error:
            raise CacheError(f"{path} is not a readable faces cache: {_system_message(error)}", _REMAKE_HINT) from error
        try:
            _check_version(path, file)
            return cls(path, file)
        except (KeyError, OSError, IndexError) as error:
            file.close()
            raise CacheError(f"{path} is a broken faces cache: {error}", _REMAKE_HINT) from error
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
        """A whole column as it lies in the file: "box", "landmarks", "probability", "grey", ..."""
        return self._file[name][:]

    @property
    def checksums(self) -> np.ndarray | None:
        """(N,) uint32, `checksums` of the faces as they were written; None where storing changed them."""
        return self.column("checksum") if "checksum" in self._file else None

    @property
    def factors(self) -> dict[str, np.ndarray]:
        """(N,) float32 for every known factor of the faces, by name; nothing for photographs."""
        return dict(zip(self.info.factors, self.column("factor").T, strict=True)) if self.info.factors else {}

    def rows(self, split: str = "all", labelled: bool = True) -> np.ndarray:
        """(n,) Rising indices of the usable rows of `split`, by default only those with an expression."""
        chosen = self.usable
        if split != "all":
            chosen &= self.splits == split
        if labelled:
            chosen &= self.labels >= 0
        return np.flatnonzero(chosen)

    def faces(self, rows: np.ndarray) -> np.ndarray:
        """(n, S, S, 3) uint8 faces of `rows`, in that order; any order is fast."""
        return np.ascontiguousarray(self._pixels[rows])

    def batches(self, rows: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(rows, faces) in pieces of at most `size`, in order."""
        for start in range(0, len(rows), size):
            piece = rows[start : start + size]
            yield piece, self.faces(piece)

    def close(self) -> None:
        """Close the file."""
        self._pixels = None
        self._file.close()


def checksums(faces: np.ndarray) -> np.ndarray:
    """(n,) uint32 CRC-32 of the pixels of each of (n, S, S, 3) uint8 faces."""
    return np.array([zlib.crc32(np.ascontiguousarray(face)) for face in faces], np.uint32)


_REMAKE_HINT = "make it again with `facedis align --overwrite`"


def partial_path(output: Path) -> Path:
    """Where the unfinished cache of `output` lies."""
    return output.with_name(output.name + ".partial")


def read_info(path: Path) -> CacheInfo:
    """The `CacheInfo` of a finished or unfinished cache file.

    Raises:
        CacheError: It is not a faces cache of this version.
    """
    try:
        with h5py.File(path, "r") as file:
            _check_version(path, file)
            return _read_attributes(file)
    except (OSError, KeyError) as error:
        raise CacheError(f"{path} is not a readable faces cache: {_system_message(error)}", _REMAKE_HINT) from error


def _write_attributes(file: h5py.File, info: CacheInfo) -> None:
    file.attrs["format"] = FORMAT
    file.attrs["version"] = VERSION
    for name, value in vars(info).items():
        if value != ():  # HDF5 has no list of nothing
            file.attrs[name] = list(value) if isinstance(value, tuple) else value


def _read_attributes(file: h5py.File) -> CacheInfo:
    values = {name: file.attrs[name] for name in CacheInfo.__dataclass_fields__ if name != "factors"}
    values["classes"] = tuple(str(name) for name in values["classes"])
    values["factors"] = tuple(str(name) for name in file.attrs.get("factors", ()))
    values["size"], values["margin"] = int(values["size"]), float(values["margin"])
    return CacheInfo(**values)


def _check_version(path: Path, file: h5py.File) -> None:
    if file.attrs.get("format") != FORMAT:
        raise CacheError(f"{path} is an HDF5 file but not a faces cache", "make one with `facedis align`")
    if file.attrs["version"] != VERSION:
        raise CacheError(
            f"{path} is a faces cache of version {file.attrs['version']}, this facedis reads version {VERSION}",
            _REMAKE_HINT,
        )


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
    """Name, shape, type and first value of every column that an alignment fills in."""
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
        if name == "face":  # a hole in the file reads as zeros: no need to write gigabytes of them
            creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple(shape)
        h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(np.dtype(dtype)), space, creation)
    file["status"].attrs["names"] = list(STATUSES)


def _system_message(error: BaseException) -> str:
    """What the system said, without HDF5's own words around it."""
    said = re.search(r"error message = '([^']+)'", str(error))
    return said[1] if said else getattr(error, "strerror", None) or str(error).split("\n")[0]
