"""FER+: the faces of FER2013 with the votes of ten annotators each."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from facedis.datasets.formats.tables import (
    BadRow,
    Row,
    column_names,
    parse_int,
    read_lines,
    read_table,
    records_from_rows,
    relative_path,
    split_cells,
)
from facedis.datasets.readers.expression.fer2013 import USAGES
from facedis.datasets.readers.expression.fer2013_csv import check_pixels, read_pgm
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import EIGHT

#: Options of the vote, in the order of the columns.
VOTES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
_VOTES_TABLE, _PIXELS_TABLE = "fer2013new.csv", "fer2013.csv"
_FOLDERS = {"FER2013Train": "train", "FER2013Valid": "val", "FER2013Test": "test"}
_BOX = re.compile(r"\((\d+), (\d+), (\d+), (\d+)\)")


class FerPlus:
    """`fer2013new.csv` beside `fer2013.csv`, or `FER2013{Train,Valid,Test}/label.csv` beside images.

    The label is the expression with more than half of the votes; options with a single vote are not
    counted. Faces without such a majority are skipped.
    """

    name = "ferplus"
    cropped = True
    classes = EIGHT

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if there are votes and faces, else 0."""
        tables = "nf" in column_names(root / _VOTES_TABLE) and (root / _PIXELS_TABLE).is_file()
        return 2 if tables or any((root / folder / "label.csv").is_file() for folder in _FOLDERS) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per face with a majority, in the order of the tables.

        Raises:
            InputError: The votes or the faces are missing.
        """
        folders = [folder for folder in _FOLDERS if (self.root / folder / "label.csv").is_file()]
        for folder in folders:
            yield from records_from_rows(self._folder_rows(folder), f"{folder}/label.csv", _parse_folder_row)
        if not folders:
            yield from self._read_tables()

    def image_bytes(self, record: FaceRecord) -> bytes:
        """Return a face of the table as a PGM file."""
        return read_pgm(self.root / record.container, record.offset)

    def _read_tables(self) -> Iterator[FaceRecord | Skipped]:
        """Join the votes to the faces: row n of one table belongs to row n of the other."""
        votes, pixels = self.root / _VOTES_TABLE, self.root / _PIXELS_TABLE
        if not votes.is_file() or not pixels.is_file():
            raise InputError(f"{self.root} lacks {_VOTES_TABLE} or {_PIXELS_TABLE}", "put both into one folder")
        faces = _pixel_offsets(self.root)

        def parse(row: Row) -> FaceRecord:
            usage = row.cells["usage"]
            face_usage, offset = faces.get(row.line, ("", 0))
            if not offset or usage != face_usage:
                raise BadRow(f"the same line of {_PIXELS_TABLE} is not its face")
            if usage not in USAGES:
                raise BadRow(f"'{usage}' is none of {', '.join(USAGES)}")
            expression = majority_expression([parse_int(row.cells[name.lower()], "number of votes") for name in VOTES])
            image = relative_path(f"{usage}/{row.cells.get('image name') or f'row{row.line - 2:05}'}")
            return FaceRecord(image, expression, "", USAGES[usage], container=_PIXELS_TABLE, offset=offset)

        required = ("usage", *(name.lower() for name in VOTES))
        yield from records_from_rows(read_table(votes, self.root, required), _VOTES_TABLE, parse)

    def _folder_rows(self, folder: str) -> Iterator[Row | Skipped]:
        """The rows of a table without a header: image, box in brackets, ten votes."""
        for line, offset, text in read_lines(self.root / folder / "label.csv"):
            try:
                cells = split_cells(text)
            except BadRow:
                cells = []
            if len(cells) == 2 + len(VOTES):
                named = dict(zip(("image", "box", *VOTES), cells, strict=True))
                yield Row(line, offset, {**named, "folder": folder})
            elif text is None or text.strip():
                yield Skipped(f"{folder}/label.csv", line, "it is not an image, a box and ten votes")


def majority_expression(votes: Sequence[int]) -> str:
    """Return the expression with more than half of the votes.

    Args:
        votes: Counts in the order of `VOTES`; counts of 1 are ignored.

    Raises:
        BadRow: There is no majority, or it is for "unknown" or "NF" (no face).
    """
    if min(votes) < 0:
        raise BadRow("it has a negative number of votes")
    counted = [count if count > 1 else 0 for count in votes]
    most = max(counted)
    if 2 * most <= sum(counted):
        raise BadRow("no expression has more than half of the votes")
    winner = VOTES[counted.index(most)]
    if winner not in EIGHT:
        raise BadRow(f"most votes are for {winner}, which is none of the eight expressions")
    return winner


def _parse_folder_row(row: Row) -> FaceRecord:
    expression = majority_expression([parse_int(row.cells[name], "number of votes") for name in VOTES])
    if not _BOX.fullmatch(row.cells["box"]):
        raise BadRow(f"'{row.cells['box']}' is not a box")
    folder = row.cells["folder"]
    return FaceRecord(f"{folder}/{relative_path(row.cells['image'])}", expression, split=_FOLDERS[folder])


def _pixel_offsets(root: Path) -> dict[int, tuple[str, int]]:
    """(usage, byte offset of the grey values) by line of FER2013's table; lines without a valid face are left out."""
    offsets = {}
    for row in read_table(root / _PIXELS_TABLE, root, ("pixels", "usage")):
        if isinstance(row, Row):
            try:
                check_pixels(row.cells["pixels"])
            except BadRow:
                continue  # reported as a row of votes without a face
            offsets[row.line] = row.cells["usage"], row.cell_offset("pixels")
    return offsets
