"""Faces rendered by `facedis synth`, such as the bundled set."""

import csv
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import EIGHT

_MARKER = "rendered-faces.json"
_COLUMNS = ("image", "expression", "identity", "split")


class RenderedFaces:
    """A folder written by `facedis synth`: uncropped images, with all factors known."""

    name = "rendered"
    cropped = False
    classes = EIGHT

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if the folder contains `rendered-faces.json`, else 0."""
        return 2 if (root / _MARKER).is_file() else 0

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The numeric columns of labels.csv: intensity, pose, light, camera."""
        return tuple(name for name in self._rows()[0] if name not in _COLUMNS)

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per image, in the order of labels.csv.

        Raises:
            InputError: labels.csv cannot be read or lacks a column.
        """
        names = self.factor_names
        for line, row in enumerate(self._rows(), 2):
            try:
                factors = tuple(float(row[name]) for name in names)
            except (TypeError, ValueError):
                yield Skipped("labels.csv", line, "a factor is not a number")
                continue
            if row["expression"] not in EIGHT:
                yield Skipped("labels.csv", line, "unknown expression")
                continue
            yield FaceRecord(row["image"], row["expression"], row["identity"], row["split"], factors=factors)

    def _rows(self) -> list[dict[str, str]]:
        table = self.root / "labels.csv"
        try:
            with table.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{table} cannot be read: {error}", "run the same `facedis synth` again") from error
        if not rows or not set(_COLUMNS) <= set(rows[0]):
            raise InputError(f"{table} is not the table of a rendered set", "run the same `facedis synth` again")
        return rows
