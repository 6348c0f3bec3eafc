"""Images with a `labels.csv`."""

import os
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.tables import (
    BadRow,
    Row,
    column_names,
    read_table,
    records_from_rows,
    relative_path,
    sort_records,
)
from facedis.datasets.formats.walk import SPLIT_NAMES
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import ALIASES

_TABLE = "labels.csv"
_REQUIRED = ("image", "expression")


class LabelsCsv:
    """A `labels.csv` with the columns image and expression, and optionally identity and split.

    Columns may be in any order and other columns are ignored. Image paths are relative to the table's
    folder or to the folder `images` beside it. An empty expression means unlabelled, an empty identity
    unknown. Rows whose image is missing are kept.
    """

    name = "labels-csv"
    cropped = False

    def __init__(self, root: Path) -> None:
        self.root = root
        self._has_images_folder = (root / "images").is_dir()

    @classmethod
    def match_score(cls, root: Path) -> int:
        """1 if there is a `labels.csv` with the required columns, else 0."""
        return int(set(_REQUIRED) <= column_names(root / _TABLE))

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per row, sorted by image.

        Rows with an unknown expression or split, and with a missing, outside or repeated image path,
        are skipped.

        Raises:
            InputError: The table is missing, lacks a required column, or is empty.
        """
        rows = read_table(self.root / _TABLE, self.root, _REQUIRED)
        items = list(records_from_rows(rows, _TABLE, self._parse))
        if not items:
            raise InputError(f"{self.root / _TABLE} lists no image", f"its columns are {', '.join(_REQUIRED)}")
        yield from sort_records(items)

    def _parse(self, row: Row) -> FaceRecord:
        expression, split = row.cells["expression"].lower(), row.cells.get("split", "").lower()
        if expression and expression not in ALIASES:
            raise BadRow(f"'{expression}' is not the name of a known expression")
        if split and split not in SPLIT_NAMES:
            raise BadRow(f"'{split}' is not a split")
        image = self._locate(relative_path(row.cells["image"]))
        return FaceRecord(image, ALIASES.get(expression, ""), row.cells.get("identity", ""), SPLIT_NAMES.get(split, ""))

    def _locate(self, image: str) -> str:
        """Path of `image` relative to the root; missing images are expected in the folder `images`, if it exists."""
        beside = not self._has_images_folder or os.path.isfile(self.root / image)
        return image if beside else f"images/{image}"
