"""Faces that facedis renders itself: `facedis align` without a folder reads the bundled ones."""

import csv
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import EIGHT

_MARKER = "rendered-faces.json"
_KNOWN = ("image", "expression", "identity", "split")


class RenderedFaces:
    """Reads a folder of `facedis synth`: photographs-to-be in need of a detector, every factor known."""

    name = "rendered"
    cropped = False
    classes = EIGHT

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 where the folder bears the mark of rendered faces, else 0."""
        return 2 if (root / _MARKER).is_file() else 0

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The columns of labels.csv that are numbers: intensity, pose, light, camera."""
        return tuple(name for name in self._rows()[0] if name not in _KNOWN)

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """All rendered faces in the order of labels.csv.

        Raises:
            InputError: labels.csv is missing or is not the one that was made with the faces.
        """
        names = self.factor_names
        for line, row in enumerate(self._rows(), 2):
            try:
                factors = tuple(float(row[name]) for name in names)
            except (TypeError, ValueError):
                yield Skipped("labels.csv", line, "a factor is no number")
                continue
            if row["expression"] not in EIGHT:
                yield Skipped("labels.csv", line, "unknown expression")
                continue
            yield FaceRecord(*(row[name] for name in _KNOWN), factors=factors)

    def _rows(self) -> list[dict[str, str]]:
        table = self.root / "labels.csv"
        try:
            with table.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{table} cannot be read: {error}", "run the same `facedis synth` again") from error
        if not rows or not set(_KNOWN) <= set(rows[0]):
            raise InputError(f"{table} is not the list of a rendered set", "run the same `facedis synth` again")
        return rows
