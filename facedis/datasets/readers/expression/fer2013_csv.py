"""FER2013 as a table with 2,304 grey values per row."""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.tables import (
    BadRow,
    Row,
    column_names,
    expression_of_label,
    parse_int,
    read_table,
    records_from_rows,
    sort_records,
)
from facedis.datasets.readers.expression.fer2013 import USAGES
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import SEVEN

#: The expressions by FER2013's numbers.
IDS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
_FOLDERS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
#: Side of an image in pixels.
SIDE = 48
#: Tables with all rows, in order of preference, and the tables with a part of them each.
_TABLES = ("fer2013.csv", "icml_face_data.csv")
_PARTS = {"train.csv": "Training", "test.csv": "PrivateTest"}
_MAX_LENGTH = 4 * SIDE * SIDE  # three digits and a blank per value
_GREYS = re.compile(rb"[0-9 ]+")


class Fer2013Csv:
    """`fer2013.csv` or `icml_face_data.csv`: the columns emotion, pixels and Usage, in any order.

    Without them, the challenge's `train.csv` and its unlabelled `test.csv` are read.

    A row gets the image path that it has in an unpacked copy, `Training/angry/Training_00012.pgm`, with
    its row number from 0. Records are sorted by that path, so both forms give the same order.
    """

    name = "fer2013-csv"
    cropped = True
    classes = SEVEN

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if there is a table with these columns, 1 if the votes of FER+ are beside it, else 0."""
        if not any({"emotion", "pixels"} <= column_names(root / name) for name in (*_TABLES, "train.csv")):
            return 0
        return 1 if (root / "fer2013new.csv").is_file() else 2

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per row, sorted by image.

        Raises:
            InputError: There is no such table.
        """
        whole = [name for name in _TABLES if (self.root / name).is_file()][:1]
        tables = whole or [name for name in _PARTS if (self.root / name).is_file()]
        if not tables:
            raise InputError(f"{self.root} holds no {_TABLES[0]}", "name the folder that the table is in")
        yield from sort_records(item for name in tables for item in self._read(name))

    def image_bytes(self, record: FaceRecord) -> bytes:
        """Return a face as a PGM file."""
        return read_pgm(self.root / record.container, record.offset)

    def _read(self, table: str) -> Iterator[FaceRecord | Skipped]:
        labelled = "emotion" in column_names(self.root / table)
        required = {"pixels", *({"emotion"} if labelled else ()), *({"usage"} if table in _TABLES else ())}

        def parse(row: Row) -> FaceRecord:
            usage = row.cells["usage"] if table in _TABLES else _PARTS[table]
            if usage not in USAGES:
                raise BadRow(f"'{usage}' is none of {', '.join(USAGES)}")
            label = parse_int(row.cells["emotion"], "emotion") if labelled else None
            expression = "" if label is None else expression_of_label(IDS, label)
            folder = "unlabelled" if label is None else _FOLDERS[label]
            check_pixels(row.cells["pixels"])
            image = f"{usage}/{folder}/{usage}_{row.line - 2:05}.pgm"
            return FaceRecord(image, expression, "", USAGES[usage], container=table, offset=row.cell_offset("pixels"))

        return records_from_rows(read_table(self.root / table, self.root, required), table, parse)


def check_pixels(text: str) -> None:
    """Check that `text` has the grey values of one face.

    Raises:
        BadRow: Their number is wrong, or there are other characters than digits and blanks.
    """
    count = len(text.split())
    if count != SIDE * SIDE:
        raise BadRow(f"it has {count:,} grey values instead of {SIDE * SIDE:,}")
    if not _GREYS.fullmatch(text.encode()):
        raise BadRow("its grey values are not all numbers")


def read_pgm(path: Path, offset: int) -> bytes:
    """Return the grey values at byte `offset` of `path` as a PGM file.

    Raises:
        ValueError: They are not the grey values of one face.
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        file.seek(offset)
        text = _GREYS.match(file.read(_MAX_LENGTH))
    values = bytes(map(int, text[0].split()[: SIDE * SIDE] if text else ()))
    if len(values) != SIDE * SIDE:
        raise ValueError(f"it has {len(values):,} grey values instead of {SIDE * SIDE:,}")
    return b"P5 %d %d 255\n" % (SIDE, SIDE) + values
