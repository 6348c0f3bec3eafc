"""Images with a list of their labels: a file `labels.csv` beside them."""

import csv
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from facedis.datasets.record import FaceRecord
from facedis.datasets.walk import SPLIT_NAMES
from facedis.errors import InputError
from facedis.taxonomy import expression_named

_LIST = "labels.csv"
_FORM = "its first line must name the columns: image,expression and, where known, identity,split"


class LabelsCsv:
    """A `labels.csv` with the columns image and expression, and identity and split where known.

    Columns may come in any order and others are ignored. Images are named relative to the list's
    folder or to the folder `images` beside it. An empty expression means unlabelled, an empty
    identity unknown. A row whose image is not there stays a row.
    """

    name = "labels-csv"
    cropped = False

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / _LIST

    @classmethod
    def recognises(cls, root: Path) -> int:
        """1 where there is a `labels.csv` with the two columns that are needed."""
        try:
            with open(root / _LIST, encoding="utf-8-sig", newline="") as file:
                return int({"image", "expression"} <= set(_header(csv.reader(file))))
        except (OSError, UnicodeDecodeError, csv.Error):
            return 0

    def records(self) -> Iterator[FaceRecord]:
        """One record a row, sorted by image.

        Raises:
            InputError: The list is missing, is not such a list, or a row of it (named by its line)
                has an unknown expression or split, no image, one from outside or one named before.
        """
        records: dict[str, FaceRecord] = {}
        for line, row in self._rows():
            record = self._record(row, f"{self.path}, line {line}")
            if record.image in records:
                raise InputError(f"{self.path}, line {line}: {record.image} is named a second time", "keep one row")
            records[record.image] = record
        if not records:
            raise InputError(f"{self.path} lists no image", _FORM)
        yield from (records[image] for image in sorted(records))

    def _rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """(line number, cells by column) of every row that is not blank."""
        try:
            with open(self.path, encoding="utf-8-sig", newline="") as file:
                lines = csv.reader(file)
                columns = _header(lines)
                if not {"image", "expression"} <= set(columns):
                    raise InputError(f"{self.path} has not the columns image and expression", _FORM)
                for cells in lines:
                    if any(cell.strip() for cell in cells):
                        yield lines.line_num, {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {error.strerror}", "name a folder with a labels.csv") from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{self.path} is not a CSV file in UTF-8: {error}", _FORM) from error

    def _record(self, row: dict[str, str], where: str) -> FaceRecord:
        expression, split = row.get("expression", ""), row.get("split", "")
        if split and split.lower() not in SPLIT_NAMES:
            raise InputError(f"{where}: '{split}' is not a split", "write train, val or test, or nothing")
        return FaceRecord(
            self._place(row.get("image", ""), where),
            expression_named(expression, where) if expression else "",
            row.get("identity", ""),
            SPLIT_NAMES[split.lower()] if split else "",
        )

    def _place(self, image: str, where: str) -> str:
        """Where `image` lies below the root; the folder `images` is where a missing one is expected."""
        path = PurePosixPath(image.replace("\\", "/"))
        if not image or path.is_absolute() or ".." in path.parts:
            raise InputError(f"{where}: '{image}' is no image below {self.root}", "name it relative to labels.csv")
        inside = "images" / path
        beside = (self.root / path).is_file() or not (self.root / "images").is_dir()
        return str(path if beside else inside)


def _header(lines: Iterator[list[str]]) -> list[str]:
    return [name.strip().lower() for name in next(lines, [])]
