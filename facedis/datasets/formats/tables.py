"""Lists of images in text files, read so that a broken row costs that row and nothing else."""

import csv
import math
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError


class BadRow(ValueError):
    """What is wrong with a row, in words; whoever reads the list adds the line."""


class Row(NamedTuple):
    """A line of a list.

    Attributes:
        line: Its number, counted from 1.
        offset: The byte at which it begins.
        cells: What stands in it by lower-case column, stripped.
        text: The line itself.
    """

    line: int
    offset: int
    cells: dict[str, str]
    text: str = ""

    def cell_offset(self, column: str) -> int:
        """The byte of the file at which the cell of `column` begins."""
        return self.offset + len(self.text[: self.text.index(self.cells[column])].encode())


def read_lines(path: Path) -> Iterator[tuple[int, int, str | None]]:
    """(number, offset, text) of every line of `path`; None for the text of one that is not UTF-8.

    Raises:
        InputError: The file cannot be read.
    """
    offset = 0
    try:
        with open(path, "rb") as file:
            for number, raw in enumerate(file, 1):
                try:
                    text = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                except UnicodeDecodeError:
                    text = None
                yield number, offset, None if text is None or "\0" in text else text
                offset += len(raw)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "name a folder with such a list") from error


def read_table(path: Path, root: Path, needed: Collection[str] = ()) -> Iterator[Row | Skipped]:
    """The rows of a CSV file below its header; blank lines are left out.

    Each line is read by itself, so that a quote that is never closed swallows no other row.

    Raises:
        InputError: The file cannot be read or its header lacks one of the `needed` columns.
    """
    name, columns = path.relative_to(root).as_posix(), None
    for line, offset, text in read_lines(path):
        if columns is None:
            columns = _header(path, text, needed)
            continue
        try:
            cells = _cells(text)
            if any(cells[len(columns) :]):
                raise BadRow("it has more cells than there are columns")
        except BadRow as problem:
            yield Skipped(name, line, str(problem))
            continue
        if any(cells):
            cells += [""] * (len(columns) - len(cells))
            yield Row(line, offset, dict(zip(columns, cells, strict=False)), text or "")
    if columns is None:
        _header(path, "", needed)


def column_names(path: Path) -> set[str]:
    """The columns of a CSV file in lower case; none where it cannot be read."""
    try:
        first = next(read_lines(path), (1, 0, ""))[2]
        return {name.lower() for name in _cells(first)}
    except (InputError, BadRow):
        return set()


def records_from_rows(
    rows: Iterable[Row | Skipped], file: str, make: Callable[[Row], FaceRecord]
) -> Iterator[FaceRecord | Skipped]:
    """One record a row of the list `file`.

    A row that `make` calls a `BadRow` is skipped, and so is a second row of an image.
    """
    first: dict[str, int] = {}
    for row in rows:
        if isinstance(row, Skipped):
            yield row
            continue
        try:
            record = make(row)
        except BadRow as problem:
            yield Skipped(file, row.line, str(problem))
            continue
        if first.setdefault(record.image, row.line) != row.line:
            yield Skipped(file, row.line, "its image is named a second time")
        else:
            yield record


def relative_path(image: str) -> str:
    """`image` as a path with forward slashes below some folder.

    Raises:
        BadRow: It is empty or leads elsewhere.
    """
    path = PurePosixPath(image.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise BadRow(f"'{image}' is no image below the folder" if image else "it names no image")
    return str(path)


def parse_int(text: str, what: str) -> int:
    """The integer that `text` writes, also as 3.0 or 3.0000000e+00.

    Raises:
        BadRow: It writes none.
    """
    value = parse_float(text, what)
    if value != int(value):
        raise BadRow(f"the {what} '{text}' is no whole number")
    return int(value)


def parse_float(text: str, what: str) -> float:
    """The finite number that `text` writes.

    Raises:
        BadRow: It writes none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadRow(f"the {what} '{text}' is no number" if text else f"it has no {what}")
    return value


def expression_of_label(names: tuple[str, ...], number: int) -> str:
    """The expression that a dataset calls `number`; "" in `names` stands for a number without one.

    Raises:
        BadRow: The dataset has no such number.
    """
    if not 0 <= number < len(names) or not names[number]:
        raise BadRow(f"the dataset has no expression with the number {number}")
    return names[number]


def _header(path: Path, text: str | None, needed: Collection[str]) -> list[str]:
    try:
        columns = [name.lower() for name in _cells(text)]
    except BadRow:
        columns = []
    missing = [name for name in needed if name not in columns]
    if missing:
        raise InputError(
            f"{path} has not the column {' or '.join(missing)}",
            f"its first line must be a header of {', '.join(needed)}",
        )
    return columns


def _cells(text: str | None) -> list[str]:
    if text is None:
        raise BadRow("it is no text in UTF-8")
    try:
        return [cell.strip() for cell in next(csv.reader([text], strict=True), [])]
    except csv.Error as error:
        raise BadRow(f"it is no row of a CSV file ({error})") from error
