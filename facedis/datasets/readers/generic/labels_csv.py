"""Images with a list of their labels: a file `labels.csv` beside them."""

import os
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.tables import BadRow, Row, column_names, read_table, records_from_rows, relative_path
from facedis.datasets.formats.walk import SPLIT_NAMES
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import ALIASES

_LIST = "labels.csv"
_NEEDED = ("image", "expression")


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
        self._images_folder = (root / "images").is_dir()

    @classmethod
    def match_score(cls, root: Path) -> int:
        """1 where there is a `labels.csv` with the two columns that are needed."""
        return int(set(_NEEDED) <= column_names(root / _LIST))

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record a row, sorted by image.

        A row is skipped that has an unknown expression or split, no image, one from outside or one
        named before.

        Raises:
            InputError: The list is missing or is not such a list, or lists nothing.
        """
        found = list(records_from_rows(read_table(self.root / _LIST, self.root, _NEEDED), _LIST, self._record))
        if not found:
            raise InputError(f"{self.root / _LIST} lists no image", f"its columns are {', '.join(_NEEDED)}")
        yield from (item for item in found if isinstance(item, Skipped))
        yield from sorted((item for item in found if isinstance(item, FaceRecord)), key=lambda record: record.image)

    def _record(self, row: Row) -> FaceRecord:
        expression, split = row.cells["expression"].lower(), row.cells.get("split", "").lower()
        if expression and expression not in ALIASES:
            raise BadRow(f"'{expression}' is not the name of a known expression")
        if split and split not in SPLIT_NAMES:
            raise BadRow(f"'{split}' is not a split")
        image = self._place(relative_path(row.cells["image"]))
        return FaceRecord(image, ALIASES.get(expression, ""), row.cells.get("identity", ""), SPLIT_NAMES.get(split, ""))

    def _place(self, image: str) -> str:
        """Where `image` lies below the root; the folder `images` is where a missing one is expected."""
        beside = not self._images_folder or os.path.isfile(self.root / image)
        return image if beside else f"images/{image}"
