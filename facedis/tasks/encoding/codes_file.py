"""Files of codes in Parquet, NPZ or CSV: written in blocks and atomically, read in blocks.

A file has one row per face: the columns of `sources.ID_COLUMNS`, then those of `expression_code`, `rest_code` and
`trunk_features` that were requested. Parquet and NPZ also hold metadata such as the model's fingerprint.
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
from facedis.faces.alignment.sources import ID_COLUMNS

#: Column of each code.
COLUMNS = {"expression": "expression_code", "rest": "rest_code", "trunk": "trunk_features"}
SUFFIXES = (".parquet", ".npz", ".csv")
#: Faces per block.
BLOCK_ROWS = 4_096
#: Key of the metadata in a file.
_METADATA = "facedis"

ArrayMap = Mapping[str, np.ndarray]


class CodesWriter(Protocol):
    """Writes the rows of a file block by block."""

    def __init__(self, path: Path, metadata: str, stack: ExitStack) -> None:
        """`metadata` is JSON; `stack` closes the resources of the writer."""

    def add(self, ids: ArrayMap, codes: ArrayMap) -> None:
        """Write k faces: `ids` of shape (k,) by `ID_COLUMNS`, `codes` of shape (k, D) by the names of `COLUMNS`."""

    def finish(self) -> None:
        """Write the buffered rows."""


@contextmanager
def codes_writer(path: Path, metadata: Mapping[str, Any]) -> Iterator[CodesWriter]:
    """Open a file of codes for writing; the suffix of `path` gives the format. On an error no file is left.

    Args:
        path: The file.
        metadata: Stored in the file; CSV files have none.

    Raises:
        ConfigError: Unknown suffix.
        MissingExtra: Parquet without pyarrow.
        OutputError: The file cannot be written.
    """
    writers: dict[str, type[CodesWriter]] = {".parquet": _ParquetWriter, ".npz": _NpzWriter, ".csv": _CsvWriter}
    writer_class = writers[checked_suffix(path)]
    with atomic_write(path) as temporary, ExitStack() as stack:
        writer = writer_class(temporary, json.dumps(dict(metadata)), stack)
        yield writer
        writer.finish()


def checked_suffix(path: Path) -> str:
    """The suffix of `path` in lower case.

    Raises:
        ConfigError: Not one of `SUFFIXES`.
        MissingExtra: The package for it is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(f"unknown format: {path}", f"use one of the suffixes {', '.join(SUFFIXES)}")
    if suffix == ".parquet":
        _pyarrow()
    return suffix


class _ParquetWriter:
    """Writes row groups of `BLOCK_ROWS` faces; a code is a list of fixed length, so that its size is in the schema."""

    def __init__(self, path: Path, metadata: str, stack: ExitStack) -> None:
        self._path, self._metadata, self._stack = path, metadata, stack
        self._buffer: list[tuple[ArrayMap, ArrayMap]] = []
        self._writer: Any = None

    def add(self, ids: ArrayMap, codes: ArrayMap) -> None:
        self._buffer.append((ids, codes))
        if sum(len(ids["row"]) for ids, _ in self._buffer) >= BLOCK_ROWS:
            self.finish()

    def finish(self) -> None:
        if not self._buffer:
            return
        pyarrow = _pyarrow()
        ids, codes = (_concatenated([pair[side] for pair in self._buffer]) for side in (0, 1))
        self._buffer.clear()
        columns = {name: pyarrow.array(ids[name]) for name in ID_COLUMNS} | {
            COLUMNS[name]: pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(values.ravel()), values.shape[1])
            for name, values in codes.items()
        }
        table = pyarrow.table(columns).replace_schema_metadata({_METADATA: self._metadata})
        if self._writer is None:
            from pyarrow.parquet import ParquetWriter

            # Codes do not compress, and a dictionary of their values would be as large as the values.
            options = {"compression": "none", "use_dictionary": list(ID_COLUMNS[1:])}
            self._writer = self._stack.enter_context(ParquetWriter(self._path, table.schema, **options))
        self._writer.write_table(table)


class _CsvWriter:
    """Writes text with one column per number."""

    def __init__(self, path: Path, metadata: str, stack: ExitStack) -> None:
        self._table = csv.writer(stack.enter_context(path.open("w", newline="", encoding="utf-8")))
        self._has_header = False

    def add(self, ids: ArrayMap, codes: ArrayMap) -> None:
        if not self._has_header:
            sizes = {COLUMNS[name]: values.shape[1] for name, values in codes.items()}
            self._table.writerow([*ID_COLUMNS, *(f"{name}_{i}" for name, size in sizes.items() for i in range(size))])
            self._has_header = True
        numbers = np.concatenate(list(codes.values()), axis=1)
        id_rows = zip(*(ids[name].tolist() for name in ID_COLUMNS), strict=True)
        # str of a float32 is the shortest text that gives the same number.
        self._table.writerows([*row, *map(str, values)] for row, values in zip(id_rows, numbers, strict=True))

    def finish(self) -> None:
        """Nothing is buffered."""


class _NpzWriter:
    """Appends each code to a temporary file; `finish` joins them to one uncompressed archive."""

    def __init__(self, path: Path, metadata: str, stack: ExitStack) -> None:
        self._path, self._metadata = path, metadata
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
            for name, values in (ids | {_METADATA: np.array(self._metadata)}).items():
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
        metadata: As given to `codes_writer`.
        total: Number of faces.
        codes: Names of the codes in the file.
    """

    metadata: dict[str, Any]
    total: int
    codes: tuple[str, ...]

    def blocks(self, code: str) -> Iterator[np.ndarray]:
        """All vectors of one code in order, as blocks of shape (k, D), float32."""

    def take(self, code: str, indices: np.ndarray) -> np.ndarray:
        """(m, D) float32 vectors of the faces at `indices`, in that order."""

    def ids(self, indices: np.ndarray) -> ArrayMap:
        """The `ID_COLUMNS` of the faces at `indices`, each of shape (m,)."""


def open_codes(path: Path) -> CodesFile:
    """Open a Parquet or NPZ file that `codes_writer` wrote.

    Raises:
        InputError: The file is missing, broken, or not a file of codes.
        MissingExtra: Parquet without pyarrow.
    """
    suffix = path.suffix.lower()
    if suffix not in (".parquet", ".npz"):
        raise InputError(f"{path} is not a searchable file of codes", "name a .parquet or .npz of `facedis embed`")
    try:
        return _ParquetFile(path) if suffix == ".parquet" else _NpzFile(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"cannot read the codes in {path}: {reason}", "create it with `facedis embed`") from error


class _ParquetFile:
    """Reads one column of one row group at a time."""

    def __init__(self, path: Path) -> None:
        _pyarrow()
        from pyarrow.parquet import ParquetFile

        self._file = ParquetFile(path)
        schema = self._file.schema_arrow
        self.metadata: dict[str, Any] = json.loads((schema.metadata or {})[_METADATA.encode()])
        self.codes = tuple(name for name, column in COLUMNS.items() if column in schema.names)
        self._sizes = {name: schema.field(COLUMNS[name]).type.list_size for name in self.codes}
        counts = [self._file.metadata.row_group(group).num_rows for group in range(self._file.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(int)
        self.total = int(self._starts[-1])

    def blocks(self, code: str) -> Iterator[np.ndarray]:
        for group in range(len(self._starts) - 1):
            yield self._group(group, code)

    def take(self, code: str, indices: np.ndarray) -> np.ndarray:
        groups = np.searchsorted(self._starts, indices, "right") - 1
        codes = np.empty((len(indices), self._sizes[code]), np.float32)
        for group in np.unique(groups):
            in_group = groups == group
            codes[in_group] = self._group(group, code)[indices[in_group] - self._starts[group]]
        return codes

    def ids(self, indices: np.ndarray) -> ArrayMap:
        groups = np.searchsorted(self._starts, indices, "right") - 1
        found: dict[str, list[Any]] = {name: [None] * len(indices) for name in ID_COLUMNS}
        for group in np.unique(groups).tolist():
            table = self._file.read_row_group(group, columns=list(ID_COLUMNS))
            for i in np.flatnonzero(groups == group):
                for name in ID_COLUMNS:
                    found[name][i] = table[name][int(indices[i] - self._starts[group])].as_py()
        return {name: np.array(values) for name, values in found.items()}

    def _group(self, group: int, code: str) -> np.ndarray:
        column = self._file.read_row_group(group, columns=[COLUMNS[code]])[COLUMNS[code]].combine_chunks()
        return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, self._sizes[code])


class _NpzFile:
    """Memory-maps the members of an uncompressed archive."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            names = {Path(name).stem for name in archive.namelist()}
            self.codes = tuple(name for name, column in COLUMNS.items() if column in names)
            self._codes = {name: _mapped(path, archive, f"{COLUMNS[name]}.npy") for name in self.codes}
        with np.load(path, allow_pickle=False) as arrays:
            self.metadata: dict[str, Any] = json.loads(str(arrays[_METADATA]))
            self._ids = {name: arrays[name] for name in ID_COLUMNS}
        self.total = len(self._ids["row"])

    def blocks(self, code: str) -> Iterator[np.ndarray]:
        for start in range(0, self.total, BLOCK_ROWS):
            yield np.asarray(self._codes[code][start : start + BLOCK_ROWS])

    def take(self, code: str, indices: np.ndarray) -> np.ndarray:
        return np.asarray(self._codes[code][indices])

    def ids(self, indices: np.ndarray) -> ArrayMap:
        return {name: values[indices] for name, values in self._ids.items()}


def _mapped(path: Path, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """The array in a member of `archive` as a memory map; loaded if the member is compressed."""
    with archive.open(name) as member:
        np.lib.format.read_magic(member)
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        header = member.tell()
        if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
            return np.frombuffer(member.read(), dtype).reshape(shape)
    with path.open("rb") as file:  # a local file header: 30 bytes, whose last four are the lengths of two fields
        file.seek(archive.getinfo(name).header_offset + 26)
        local_header = 30 + sum(struct.unpack("<HH", file.read(4)))
    return np.memmap(path, dtype, "r", archive.getinfo(name).header_offset + local_header + header, shape)


def _concatenated(blocks: list[ArrayMap]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("Parquet", "parquet") from error
    return pyarrow
