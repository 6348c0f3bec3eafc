"""FER2013 as one table: a row with 2,304 grey values for each face."""

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
)
from facedis.datasets.readers.expression.fer2013 import USAGES
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import SEVEN

#: The expressions by FER2013's numbers.
IDS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
_FOLDERS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SIDE = 48
#: The tables that hold everything, the best known first; else the two that hold a part each.
_TABLES = ("fer2013.csv", "icml_face_data.csv")
_PARTS = {"train.csv": "Training", "test.csv": "PrivateTest"}
_LONGEST = 4 * SIDE * SIDE  # three digits and a blank each
_GREYS = re.compile(rb"[0-9 ]+")


class Fer2013Csv:
    """`fer2013.csv` or `icml_face_data.csv`: the columns emotion, pixels and Usage, in any order.

    The challenge's `train.csv` and `test.csv`, which has no labels, are read where there is no other.

    A row is called `Training/angry/Training_00012.pgm` after its row in the table (from 0), as if
    the table had been unpacked; rows come sorted by that name. A copy of the folders made that way
    gives the same rows in the same order.
    """

    name = "fer2013-csv"
    cropped = True
    classes = SEVEN

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 where a table with the columns is there, 1 where the votes of FER+ lie beside it."""
        if not any({"emotion", "pixels"} <= column_names(root / name) for name in (*_TABLES, "train.csv")):
            return 0
        return 1 if (root / "fer2013new.csv").is_file() else 2

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record a row, sorted by name.

        Raises:
            InputError: There is no such table.
        """
        whole = [name for name in _TABLES if (self.root / name).is_file()][:1]
        tables = whole or [name for name in _PARTS if (self.root / name).is_file()]
        if not tables:
            raise InputError(f"{self.root} holds no {_TABLES[0]}", "name the folder that the table is in")
        found = [item for name in tables for item in self._of(name)]
        yield from (item for item in found if isinstance(item, Skipped))
        yield from sorted((item for item in found if isinstance(item, FaceRecord)), key=lambda record: record.image)

    def image_bytes(self, record: FaceRecord) -> bytes:
        """A face as a PGM file."""
        return read_pgm(self.root / record.container, record.offset)

    def _of(self, table: str) -> Iterator[FaceRecord | Skipped]:
        labelled = "emotion" in column_names(self.root / table)
        needed = {"pixels", *({"emotion"} if labelled else ()), *({"usage"} if table in _TABLES else ())}

        def record(row: Row) -> FaceRecord:
            usage = row.cells["usage"] if table in _TABLES else _PARTS[table]
            if usage not in USAGES:
                raise BadRow(f"'{usage}' is none of {', '.join(USAGES)}")
            number = parse_int(row.cells["emotion"], "emotion") if labelled else None
            expression = "" if number is None else expression_of_label(IDS, number)
            folder = "unlabelled" if number is None else _FOLDERS[number]
            check_pixels(row.cells["pixels"])
            image = f"{usage}/{folder}/{usage}_{row.line - 2:05}.pgm"
            return FaceRecord(image, expression, "", USAGES[usage], container=table, offset=row.cell_offset("pixels"))

        return records_from_rows(read_table(self.root / table, self.root, needed), table, record)


def check_pixels(text: str) -> None:
    """Refuse what is not the grey values of one face.

    Raises:
        BadRow: There are too few or too many, or other signs than digits.
    """
    count = len(text.split())
    if count != SIDE * SIDE:
        raise BadRow(f"it has {count:,} grey values instead of {SIDE * SIDE:,}")
    if not _GREYS.fullmatch(text.encode()):
        raise BadRow("its grey values are not all numbers")


def read_pgm(path: Path, offset: int) -> bytes:
    """The grey values that are written in `path` from byte `offset` on as an image file.

    Raises:
        ValueError: They are not those of one face.
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        file.seek(offset)
        text = _GREYS.match(file.read(_LONGEST))
    values = bytes(map(int, text[0].split()[: SIDE * SIDE] if text else ()))
    if len(values) != SIDE * SIDE:
        raise ValueError(f"it has {len(values):,} grey values instead of {SIDE * SIDE:,}")
    return b"P5 %d %d 255\n" % (SIDE, SIDE) + values
