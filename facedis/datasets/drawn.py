"""The faces that facedis draws itself: `facedis align` without a folder reads them."""

import csv
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.record import FaceRecord
from facedis.errors import InputError
from facedis.taxonomy import expression_named

_MARKER = "drawn-faces.json"


class DrawnFaces:
    """Reads the folder that `facedis.drawn.bundled` makes: photographs-to-be in need of a detector."""

    name = "drawn"
    cropped = False

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def recognises(cls, root: Path) -> int:
        """2 where the folder bears the mark of drawn faces, else 0."""
        return 2 if (root / _MARKER).is_file() else 0

    def records(self) -> Iterator[FaceRecord]:
        """All drawn faces in the order of labels.csv.

        Raises:
            InputError: labels.csv is missing or is not the one that was made with the faces.
        """
        table = self.root / "labels.csv"
        try:
            with table.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            for row in rows:
                expression = expression_named(row["expression"], str(table))
                yield FaceRecord(row["image"], expression, row["identity"], row["split"])
        except (OSError, KeyError) as error:
            raise InputError(f"{table} cannot be read: {error}", f"delete {self.root}; it is made again") from error
