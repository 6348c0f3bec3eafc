"""Codes in a file: Parquet, NPZ or CSV, written piece by piece and whole or not at all; read in blocks.

One row a face: what is known of it (`sources.IDS`), then `expression_code`, `rest_code` and
`trunk_features`, as many as were asked for. Parquet and NPZ also say which model made them.
"""

import csv
import json
import shutil
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np

from facedis.atomic_io import atomic_write
from facedis.errors import ConfigError, InputError, MissingExtra
from facedis.faces.alignment.sources import IDS

#: Columns of the codes by their names in the program.
COLUMNS = {"expression": "expression_code", "rest": "rest_code", "trunk": "trunk_features"}
SUFFIXES = (".parquet", ".npz", ".csv")
#: Faces that are written or read together.
BLOCK_ROWS = 4_096
_ABOUT = "facedis"

ArrayMap = Mapping[str, np.ndarray]


class CodesWriter(Protocol):
    """Takes the rows of a file one piece after the other."""

    def add(self, ids: ArrayMap, codes: ArrayMap) -> None:
        """Write k faces: `ids` (k,) by `IDS`, `codes` (k, D) by the names of `COLUMNS`."""

    def finish(self) -> None:
        """Write what waits."""


@contextmanager
def codes_writer(path: Path, about: Mapping[str, Any]) -> Iterator[CodesWriter]:
    """A writer of the kind that the ending of `path` says; a block that fails leaves no file.

    Args:
        path: The file.
        about: Kept in it, but for CSV, which has no place for it.

    Raises:
        ConfigError: Another ending.
        MissingExtra: Parquet without pyarrow.
        OutputError: It cannot be written.
    """
    kind = {".parquet": _Parquet, ".npz": _Npz, ".csv": _Csv}[checked_suffix(path)]
    with atomic_write(path) as temporary, ExitStack() as stack:
        writer = kind(temporary, json.dumps(dict(about)), stack)
        yield writer
        writer.finish()


def checked_suffix(path: Path) -> str:
    """The ending of `path` in lower case.

    Raises:
        ConfigError: It is none of `SUFFIXES`.
        MissingExtra: Its package is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(f"cannot tell the format of {path}", f"end its name in {', '.join(SUFFIXES)}")
    if suffix == ".parquet":
        _pyarrow()
    return suffix


class _Parquet:
    """Row groups of `BLOCK_ROWS` faces; a code is a list of fixed length, so that any reader gets its size."""

    def __init__(self, path: Path, about: str, stack: ExitStack) -> None:
        self._path, self._about, self._stack = path, about, stack
        self._waiting: list[tuple[ArrayMap, ArrayMap]] = []
        self._writer: Any = None

    def add(self, ids: ArrayMap, codes: ArrayMap) -> None:
        self._waiting.append((ids, codes))
        if sum(len(piece["row"]) for piece, _ in self._waiting) >= BLOCK_ROWS:
            self.finish()

    def finish(self) -> None:
        if not self._waiting:
            return
        pyarrow = _pyarrow()
        ids, codes = (_concatenated([pair[side] for pair in self._waiting]) for side in (0, 1))
        self._waiting.clear()
        columns = {name: pyarrow.array(ids[name]) for name in IDS} | {
            COLUMNS[name]: pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(values.ravel()), values.shape[1])
            for name, values in codes.items()
        }
        table = pyarrow.table(columns).replace_schema_metadata({_ABOUT: self._about})
        if self._writer is None:
            from pyarrow.parquet import ParquetWriter

            # Codes are noise to a compressor, and no two of their numbers are alike.
            options = {"compression": "none", "use_dictionary": list(IDS[1:])}
            self._writer = self._stack.enter_context(ParquetWriter(self._path, table.schema, **options))
        self._writer.write_table(table)


class _Csv:
    """Plain text: one number a column."""

    def __init__(self, path: Path, about: str, stack: ExitStack) -> None:
        self._table = csv.writer(stack.enter_context(path.open("w", newline="", encoding="utf-8")))
        self._begun = False

    def add(self, ids: ArrayMap, codes: ArrayMap) -> None:
        if not self._begun:
            sizes = {COLUMNS[name]: values.shape[1] for name, values in codes.items()}
            self._table.writerow([*IDS, *(f"{name}_{place}" for name, size in sizes.items() for place in range(size))])
            self._begun = True
        numbers = np.concatenate(list(codes.values()), axis=1)
        known = zip(*(ids[name].tolist() for name in IDS), strict=True)
        # As text, a number of single precision is as short as it can be and still the same number.
        self._table.writerows([*row, *map(str, values)] for row, values in zip(known, numbers, strict=True))

    def finish(self) -> None:
        """Nothing waits."""


class _Npz:
    """Each code grows in a file of its own; at the end they become one archive, not compressed."""

    def __init__(self, path: Path, about: str, stack: ExitStack) -> None:
        self._path, self._about = path, about
        self._folder = Path(stack.enter_context(TemporaryDirectory(dir=path.parent, prefix=".codes-")))
        self._sizes: dict[str, int] = {}
        self._ids: list[ArrayMap] = []

    def add(self, ids: ArrayMap, codes: ArrayMap) -> None:
        self._ids.append(ids)
        for name, values in codes.items():
            self._sizes[name] = values.shape[1]
            with (self._folder / name).open("ab") as file:
                file.write(np.ascontiguousarray(values, "<f4").data)

    def finish(self) -> None:
        ids = _concatenated(self._ids)
        with zipfile.ZipFile(self._path, "w", zipfile.ZIP_STORED) as archive:
            for name, values in (ids | {_ABOUT: np.array(self._about)}).items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, values, allow_pickle=False)
            for name, size in self._sizes.items():
                shape = {"descr": "<f4", "fortran_order": False, "shape": (len(ids["row"]), size)}
                with archive.open(f"{COLUMNS[name]}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array_header_1_0(member, shape)
                    with (self._folder / name).open("rb") as file:
                        shutil.copyfileobj(file, member, 1 << 20)


class CodesFile(Protocol):
    """A file of codes opened for reading.

    Attributes:
        about: What its writer said of it.
        total: Faces in it.
        codes: Names of the codes in it.
    """

    about: dict[str, Any]
    total: int
    codes: tuple[str, ...]

    def blocks(self, code: str) -> Iterator[np.ndarray]:
        """All codes of one kind, (k, D) float32 at a time, in order."""

    def take(self, code: str, places: np.ndarray) -> np.ndarray:
        """(m, D) float32 codes of the faces at `places`, in that order."""

    def ids(self, places: np.ndarray) -> ArrayMap:
        """What is known of the faces at `places`, (m,) arrays by `IDS`."""


def open_codes(path: Path) -> CodesFile:
    """A Parquet or NPZ file that `codes_writer` wrote.

    Raises:
        InputError: It is missing, broken, or not such a file.
        MissingExtra: Parquet without pyarrow.
    """
    kind = {".parquet": _ParquetFile, ".npz": _NpzFile}.get(path.suffix.lower())
    if kind is None:
        raise InputError(
            f"{path} is no file of codes that can be searched", "name a .parquet or .npz of `facedis embed`"
        )
    try:
        return kind(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"cannot read the codes in {path}: {reason}", "make it with `facedis embed`") from error


class _ParquetFile:
    """Column by column, row group by row group."""

    def __init__(self, path: Path) -> None:
        _pyarrow()
        from pyarrow.parquet import ParquetFile

        self._file = ParquetFile(path)
        schema = self._file.schema_arrow
        self.about = json.loads((schema.metadata or {})[_ABOUT.encode()])
        self.codes = tuple(name for name, column in COLUMNS.items() if column in schema.names)
        self._sizes = {name: schema.field(COLUMNS[name]).type.list_size for name in self.codes}
        counts = [self._file.metadata.row_group(group).num_rows for group in range(self._file.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(int)
        self.total = int(self._starts[-1])

    def blocks(self, code: str) -> Iterator[np.ndarray]:
        for group in range(len(self._starts) - 1):
            yield self._group(group, code)

    def take(self, code: str, places: np.ndarray) -> np.ndarray:
        groups = np.searchsorted(self._starts, places, "right") - 1
        found = np.empty((len(places), self._sizes[code]), np.float32)
        for group in np.unique(groups):
            mine = groups == group
            found[mine] = self._group(group, code)[places[mine] - self._starts[group]]
        return found

    def ids(self, places: np.ndarray) -> ArrayMap:
        groups = np.searchsorted(self._starts, places, "right") - 1
        found: dict[str, list[Any]] = {name: [None] * len(places) for name in IDS}
        for group in np.unique(groups).tolist():
            table = self._file.read_row_group(group, columns=list(IDS))
            for each in np.flatnonzero(groups == group):
                for name in IDS:
                    found[name][each] = table[name][int(places[each] - self._starts[group])].as_py()
        return {name: np.array(values) for name, values in found.items()}

    def _group(self, group: int, code: str) -> np.ndarray:
        column = self._file.read_row_group(group, columns=[COLUMNS[code]])[COLUMNS[code]].combine_chunks()
        return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, self._sizes[code])


class _NpzFile:
    """The members of an archive that is not compressed, mapped into memory."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            names = {Path(name).stem for name in archive.namelist()}
            self.codes = tuple(name for name, column in COLUMNS.items() if column in names)
            self._codes = {name: _mapped(path, archive, f"{COLUMNS[name]}.npy") for name in self.codes}
        with np.load(path, allow_pickle=False) as arrays:
            self.about = json.loads(str(arrays[_ABOUT]))
            self._ids = {name: arrays[name] for name in IDS}
        self.total = len(self._ids["row"])

    def blocks(self, code: str) -> Iterator[np.ndarray]:
        for start in range(0, self.total, BLOCK_ROWS):
            yield np.asarray(self._codes[code][start : start + BLOCK_ROWS])

    def take(self, code: str, places: np.ndarray) -> np.ndarray:
        return np.asarray(self._codes[code][places])

    def ids(self, places: np.ndarray) -> ArrayMap:
        return {name: values[places] for name, values in self._ids.items()}


def _mapped(path: Path, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """The array in a member of `archive` as a memory map, or loaded where somebody compressed it."""
    with archive.open(name) as member:
        np.lib.format.read_magic(member)
        shape, _, kind = np.lib.format.read_array_header_1_0(member)
        header = member.tell()
        if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
            return np.frombuffer(member.read(), kind).reshape(shape)
    with path.open("rb") as file:  # before the member stand its name and further fields, of lengths told there
        file.seek(archive.getinfo(name).header_offset + 26)
        before = 30 + sum(struct.unpack("<HH", file.read(4)))
    return np.memmap(path, kind, "r", archive.getinfo(name).header_offset + before + header, shape)


def _concatenated(pieces: list[ArrayMap]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("Parquet", "parquet") from error
    return pyarrow
