"""AffectNet as it came in 2017: photographs in numbered folders and CSV lists of what they show."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import ClassVar

from facedis.datasets.formats.tables import (
    BadRow,
    Row,
    column_names,
    expression_of_label,
    parse_float,
    read_table,
    records_from_rows,
    relative_path,
)
from facedis.datasets.formats.tables import parse_int as whole
from facedis.datasets.formats.walk import find_file, iter_folders
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import EIGHT

_IMAGE = "subdirectory_filepath"
_NEEDED = (_IMAGE, "expression")
#: What follows the eight expressions; rows with one of these have no expression to learn.
_OTHERS = ("None", "Uncertain", "Non-Face")
#: Of the 68 points, counted from 0: the corners and lids of each eye, the nose's tip, the mouth's corners.
_POINTS = (range(36, 42), range(42, 48), (30,), (48,), (54,))
#: Rows whose images are looked for to tell where the images lie.
_PROBED = 100


class AffectNet:
    """The manually annotated part: `training.csv` and `validation.csv`, and photographs with face boxes.

    The lists may lie in a folder of their own, beside the images or at the root, and the images in
    folders that are doubled or renamed, as in the copies that go round. The set was never published
    with its test part; `validation.csv` becomes "val". It names no people.
    """

    name = "affectnet"
    cropped = False
    classes = EIGHT
    lists: ClassVar[dict[str, str]] = {"training.csv": "train", "validation.csv": "val"}

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 where one of the lists with AffectNet's columns is there."""
        found = [find_file(root, {name}) for name in cls.lists]
        return 2 if any(path and set(_NEEDED) <= column_names(root / path) for path in found) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record a row with an expression, list by list; rows of the other three kinds are skipped.

        Raises:
            InputError: There is no list, or one without AffectNet's columns.
        """
        found = {split: path for name, split in self.lists.items() if (path := find_file(self.root, {name}))}
        if not found:
            raise InputError(f"{self.root} holds no {' or '.join(self.lists)}", "name the folder that AffectNet is in")
        for split, path in found.items():
            base = self._images(path)
            rows = read_table(self.root / path, self.root, _NEEDED)
            yield from records_from_rows(rows, path, lambda row, base=base, split=split: _record(row, base, split))

    def _images(self, path: str) -> str:
        """The folder, with a slash, to which the list at `path` names its images."""
        rows = read_table(self.root / path, self.root, _NEEDED)
        named = [row.cells[_IMAGE] for row in islice(rows, _PROBED) if isinstance(row, Row)]
        folders = list(iter_folders(self.root, 3))
        for folder in folders:
            if any(os.path.isfile(self.root / folder / image) for image in _harmless(named)):
                return f"{folder}/" if folder else ""
        likely = [folder for folder in folders if folder.lower().endswith("annotated_images")]
        return f"{likely[-1]}/" if likely else ""


class AffectNetAuto(AffectNet):
    """The automatically annotated part, all of it "train": its labels are a network's guesses."""

    name = "affectnet-auto"
    lists: ClassVar[dict[str, str]] = {"automatically_annotated.csv": "train"}

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 where the list is there, 1 where the better part is too."""
        return super().match_score(root) and 2 - bool(AffectNet.match_score(root))


def _record(row: Row, base: str, split: str) -> FaceRecord:
    label = whole(row.cells["expression"], "expression")
    if len(EIGHT) <= label < len(EIGHT) + len(_OTHERS):
        raise BadRow(f"it is labelled {_OTHERS[label - len(EIGHT)]}, which is none of the eight expressions")
    expression = expression_of_label(EIGHT, label)
    image = base + relative_path(row.cells[_IMAGE])
    return FaceRecord(image, expression, split=split, box=_box(row.cells), landmarks=_landmarks(row.cells))


def _box(cells: dict[str, str]) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom; None where the list has none or one without an area."""
    try:
        x, y, width, height = (
            parse_float(cells.get(f"face_{name}", ""), name) for name in ("x", "y", "width", "height")
        )
    except BadRow:
        return None
    return (x, y, x + width, y + height) if width > 0 and height > 0 else None


def _landmarks(cells: dict[str, str]) -> tuple[float, ...] | None:
    """Five points of the list's 68."""
    numbers = cells.get("facial_landmarks", "").split(";")
    if len(numbers) != 2 * 68:
        return None
    try:  # only the numbers that are needed: there are half a million rows
        return tuple(_mean([numbers[2 * place + axis] for place in part]) for part in _POINTS for axis in (0, 1))
    except BadRow:
        return None


def _mean(numbers: list[str]) -> float:
    return sum(parse_float(text, "landmark") for text in numbers) / len(numbers)


def _harmless(images: Iterable[str]) -> Iterator[str]:
    for image in images:
        try:
            yield relative_path(image)
        except BadRow:
            continue
