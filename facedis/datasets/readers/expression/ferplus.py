"""FER+: the faces of FER2013 with ten people's votes each."""

import csv
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
)
from facedis.datasets.readers.expression.fer2013 import USAGES
from facedis.datasets.readers.expression.fer2013_csv import check_pixels, read_pgm
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import EIGHT

#: What was voted for, in the order of the columns.
VOTES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
_TABLE, _PIXELS = "fer2013new.csv", "fer2013.csv"
_FOLDERS = {"FER2013Train": "train", "FER2013Valid": "val", "FER2013Test": "test"}
_BOX = re.compile(r"\((\d+), (\d+), (\d+), (\d+)\)")


class FerPlus:
    """`fer2013new.csv` beside `fer2013.csv`, or `FER2013{Train,Valid,Test}/label.csv` beside images.

    A face has the expression that more than half of the votes agree on; single votes are taken for
    slips and count for nothing. Faces without such a majority are skipped.
    """

    name = "ferplus"
    cropped = True
    classes = EIGHT

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 where the votes are there with their faces."""
        table = "nf" in column_names(root / _TABLE) and (root / _PIXELS).is_file()
        return 2 if table or any((root / folder / "label.csv").is_file() for folder in _FOLDERS) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record a face with a majority, in the order of the lists.

        Raises:
            InputError: There are no votes, or no faces to them.
        """
        folders = [folder for folder in _FOLDERS if (self.root / folder / "label.csv").is_file()]
        for folder in folders:
            yield from records_from_rows(self._votes(folder), f"{folder}/label.csv", _of_folder)
        if not folders:
            yield from self._table()

    def image_bytes(self, record: FaceRecord) -> bytes:
        """A face of the table as a PGM file."""
        return read_pgm(self.root / record.container, record.offset)

    def _table(self) -> Iterator[FaceRecord | Skipped]:
        """The votes joined to the faces: the n-th row of one table belongs to the n-th of the other."""
        if not (self.root / _TABLE).is_file() or not (self.root / _PIXELS).is_file():
            raise InputError(f"{self.root} holds not both {_TABLE} and {_PIXELS}", "put them beside each other")
        faces = {row.line: row for row in _places(self.root)}

        def record(row: Row) -> FaceRecord:
            face = faces.get(row.line)
            if face is None or row.cells["usage"] != face.cells["usage"]:
                raise BadRow(f"the same line of {_PIXELS} is not its face")
            if row.cells["usage"] not in USAGES:
                raise BadRow(f"'{row.cells['usage']}' is none of {', '.join(USAGES)}")
            expression = majority_expression([parse_int(row.cells[name.lower()], "number of votes") for name in VOTES])
            image = f"{row.cells['usage']}/{row.cells.get('image name') or f'row{row.line - 2:05}'}"
            split = USAGES[row.cells["usage"]]
            return FaceRecord(
                relative_path(image), expression, "", split, container=_PIXELS, offset=int(face.cells["place"])
            )

        needed = ("usage", *(name.lower() for name in VOTES))
        yield from records_from_rows(read_table(self.root / _TABLE, self.root, needed), _TABLE, record)

    def _votes(self, folder: str) -> Iterator[Row | Skipped]:
        """The rows of a list without a header: image, box in brackets, ten votes."""
        for line, offset, text in read_lines(self.root / folder / "label.csv"):
            try:
                cells = [cell.strip() for cell in next(csv.reader([text], strict=True), [])] if text is not None else []
            except csv.Error:
                cells = []
            if len(cells) == 2 + len(VOTES):
                named = dict(zip(("image", "box", *VOTES), cells, strict=True))
                yield Row(line, offset, {**named, "folder": folder})
            elif text is None or text.strip():
                yield Skipped(f"{folder}/label.csv", line, "it is not an image, a box and ten votes")


def majority_expression(votes: Sequence[int]) -> str:
    """The expression that more than half of `votes`, in the order of `VOTES`, agree on.

    Raises:
        BadRow: There is none, or it is none of the eight expressions.
    """
    if min(votes) < 0:
        raise BadRow("it has a negative number of votes")
    counted = [count if count > 1 else 0 for count in votes]
    most = max(counted)
    if 2 * most <= sum(counted):
        raise BadRow("no expression has more than half of the votes")
    winner = VOTES[counted.index(most)]
    if winner not in EIGHT:
        raise BadRow(f"most votes say {winner}, which is none of the eight expressions")
    return winner


def _of_folder(row: Row) -> FaceRecord:
    expression = majority_expression([parse_int(row.cells[name], "number of votes") for name in VOTES])
    if not _BOX.fullmatch(row.cells["box"]):
        raise BadRow(f"'{row.cells['box']}' is no box")
    folder = row.cells["folder"]
    return FaceRecord(f"{folder}/{relative_path(row.cells['image'])}", expression, split=_FOLDERS[folder])


def _places(root: Path) -> Iterator[Row]:
    """The rows of FER2013 without their grey values, but with the place of these."""
    for row in read_table(root / _PIXELS, root, ("pixels", "usage")):
        if isinstance(row, Row):
            try:
                check_pixels(row.cells["pixels"])
            except BadRow:
                continue  # told as the votes' row without a face
            yield Row(row.line, row.offset, {"usage": row.cells["usage"], "place": str(row.cell_offset("pixels"))})
