"""Tables of images in text files: one bad row is skipped and does not affect the others."""

import csv
import math
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError


class BadRow(ValueError):
    """A row cannot be used; the message becomes the reason of a `Skipped`."""


class Row(NamedTuple):
    """One row of a table.

    Attributes:
        line: Line number, from 1.
        offset: Byte offset of the line.
        cells: Stripped cells by lower-case column name.
        text: The line.
    """

    line: int
    offset: int
    cells: dict[str, str]
    text: str = ""

    def cell_offset(self, column: str) -> int:
        """Return the byte offset in the file of the cell of `column`."""
        return self.offset + len(self.text[: self.text.index(self.cells[column])].encode())


def read_lines(path: Path) -> Iterator[tuple[int, int, str | None]]:
    """Yield (number, byte offset, text) of each line; the text is None if it is not UTF-8 or contains NUL.

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
        raise InputError(f"cannot read {path}: {error.strerror}", "name a folder with such a table") from error


def read_table(path: Path, root: Path, required: Collection[str] = ()) -> Iterator[Row | Skipped]:
    """Yield the rows of a CSV file with a header; blank lines are left out.

    Each line is parsed by itself, so an unclosed quote affects its own row only.

    Args:
        path: The CSV file.
        root: Root of the dataset; a `Skipped` names the file relative to it.
        required: Columns that the header must contain, in lower case.

    Raises:
        InputError: The file cannot be read, or its header lacks a required column.
    """
    name, columns = path.relative_to(root).as_posix(), None
    for line, offset, text in read_lines(path):
        if columns is None:
            columns = _parse_header(path, text, required)
            continue
        try:
            cells = split_cells(text)
            if any(cells[len(columns) :]):
                raise BadRow("it has more cells than there are columns")
        except BadRow as error:
            yield Skipped(name, line, str(error))
            continue
        if any(cells):
            cells += [""] * (len(columns) - len(cells))
            yield Row(line, offset, dict(zip(columns, cells, strict=False)), text or "")
    if columns is None:
        _parse_header(path, "", required)


def column_names(path: Path) -> set[str]:
    """Return the columns of a CSV file in lower case; none where it cannot be read."""
    try:
        first = next(read_lines(path), (1, 0, ""))[2]
        return {name.lower() for name in split_cells(first)}
    except (InputError, BadRow):
        return set()


def records_from_rows(
    rows: Iterable[Row | Skipped], file: str, parse: Callable[[Row], FaceRecord]
) -> Iterator[FaceRecord | Skipped]:
    """Yield one record per row of the table `file`.

    Rows for which `parse` raises `BadRow` and repeated rows of an image are skipped.
    """
    first: dict[str, int] = {}
    for row in rows:
        if isinstance(row, Skipped):
            yield row
            continue
        try:
            record = parse(row)
        except BadRow as error:
            yield Skipped(file, row.line, str(error))
            continue
        if first.setdefault(record.image, row.line) != row.line:
            yield Skipped(file, row.line, "its image is listed twice")
        else:
            yield record


def sort_records(items: Iterable[FaceRecord | Skipped]) -> Iterator[FaceRecord | Skipped]:
    """Yield the skipped rows in their order, then the records sorted by image."""
    records: list[FaceRecord] = []
    for item in items:
        if isinstance(item, Skipped):
            yield item
        else:
            records.append(item)
    yield from sorted(records, key=lambda record: record.image)


def split_cells(text: str | None) -> list[str]:
    """Return the stripped cells of one line of a CSV file.

    Raises:
        BadRow: The line is None, see `read_lines`, or is not valid CSV.
    """
    if text is None:
        raise BadRow("it is not valid UTF-8")
    try:
        return [cell.strip() for cell in next(csv.reader([text], strict=True), [])]
    except csv.Error as error:
        raise BadRow(f"it is not a valid CSV row ({error})") from error


def relative_path(image: str) -> str:
    """Return `image` as a relative path with forward slashes.

    Raises:
        BadRow: It is empty, absolute, or leads out of the folder.
    """
    path = PurePosixPath(image.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise BadRow(f"'{image}' is not an image inside the folder" if image else "it names no image")
    return str(path)


def parse_int(text: str, what: str) -> int:
    """Parse an integer, also in the form 3.0 or 3.0000000e+00; `what` names it in the error.

    Raises:
        BadRow: The text is not an integer.
    """
    value = parse_float(text, what)
    if value != int(value):
        raise BadRow(f"the {what} '{text}' is not an integer")
    return int(value)


def parse_float(text: str, what: str) -> float:
    """Parse a finite number; `what` names it in the error.

    Raises:
        BadRow: The text is not a finite number.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadRow(f"the {what} '{text}' is not a number" if text else f"it has no {what}")
    return value


def expression_of_label(names: tuple[str, ...], label: int) -> str:
    """Return `names[label]`; an empty name marks a number that the dataset does not use.

    Raises:
        BadRow: The dataset does not use the number.
    """
    if not 0 <= label < len(names) or not names[label]:
        raise BadRow(f"the dataset has no expression with the number {label}")
    return names[label]


def _parse_header(path: Path, text: str | None, required: Collection[str]) -> list[str]:
    try:
        columns = [name.lower() for name in split_cells(text)]
    except BadRow:
        columns = []
    missing = [name for name in required if name not in columns]
    if missing:
        raise InputError(
            f"{path} lacks the column {' or '.join(missing)}",
            f"its first line must be a header of {', '.join(required)}",
        )
    return columns
