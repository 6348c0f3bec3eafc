"""AffectNet as distributed in 2017: photographs in numbered folders, with CSV tables."""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import ClassVar

from facedis.datasets.formats.tables import (
    BadRow,
    Row,
    column_names,
    expression_of_label,
    parse_float,
    parse_int,
    read_table,
    records_from_rows,
    relative_path,
)
from facedis.datasets.formats.walk import find_file, iter_folders
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import EIGHT

_IMAGE = "subdirectory_filepath"
_REQUIRED = (_IMAGE, "expression")
#: The labels after the eight expressions; their rows are skipped.
_OTHER_LABELS = ("None", "Uncertain", "Non-Face")
#: Indices of the 68 landmarks, from 0: contour of each eye, tip of the nose, corners of the mouth.
_POINTS = (range(36, 42), range(42, 48), (30,), (48,), (54,))
#: Number of rows whose images are used to find the folder of the images.
_SAMPLE = 100


class AffectNet:
    """The manually annotated part: `training.csv` and `validation.csv`, and photographs with face boxes.

    The tables may be in their own folder, beside the images or at the root; the folders of the images
    may be nested twice or renamed. `validation.csv` becomes "val"; the test set is not public. There
    are no identities.
    """

    name = "affectnet"
    cropped = False
    classes = EIGHT
    #: Split by name of the table.
    tables: ClassVar[dict[str, str]] = {"training.csv": "train", "validation.csv": "val"}

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if there is one of the tables with AffectNet's columns, else 0."""
        found = [find_file(root, name) for name in cls.tables]
        return 2 if any(path and set(_REQUIRED) <= column_names(root / path) for path in found) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per row with an expression, table by table.

        Raises:
            InputError: There is no table, or a table lacks AffectNet's columns.
        """
        found = {split: path for name, split in self.tables.items() if (path := find_file(self.root, name))}
        if not found:
            raise InputError(f"{self.root} holds no {' or '.join(self.tables)}", "name the folder that AffectNet is in")
        for split, path in found.items():
            parse = partial(_parse, base=self._image_folder(path), split=split)
            yield from records_from_rows(read_table(self.root / path, self.root, _REQUIRED), path, parse)

    def _image_folder(self, table: str) -> str:
        """The folder, with a slash at its end, to which the image paths of a table are relative."""
        rows = islice(read_table(self.root / table, self.root, _REQUIRED), _SAMPLE)
        images = list(_valid_paths(row.cells[_IMAGE] for row in rows if isinstance(row, Row)))
        folders = list(iter_folders(self.root, 3))
        for folder in folders:
            if any(os.path.isfile(self.root / folder / image) for image in images):
                return f"{folder}/" if folder else ""
        likely = [folder for folder in folders if folder.lower().endswith("annotated_images")]
        return f"{likely[-1]}/" if likely else ""


class AffectNetAuto(AffectNet):
    """The automatically annotated part, all of it "train"; its labels are predictions of a network."""

    name = "affectnet-auto"
    tables: ClassVar[dict[str, str]] = {"automatically_annotated.csv": "train"}

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if its table exists, 1 if the manually annotated part exists too, else 0."""
        return super().match_score(root) and 2 - bool(AffectNet.match_score(root))


def _parse(row: Row, base: str, split: str) -> FaceRecord:
    label = parse_int(row.cells["expression"], "expression")
    if len(EIGHT) <= label < len(EIGHT) + len(_OTHER_LABELS):
        raise BadRow(f"it is labelled {_OTHER_LABELS[label - len(EIGHT)]}, which is none of the eight expressions")
    expression = expression_of_label(EIGHT, label)
    image = base + relative_path(row.cells[_IMAGE])
    return FaceRecord(image, expression, split=split, box=_box(row.cells), landmarks=_landmarks(row.cells))


def _box(cells: dict[str, str]) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom; None if the box is missing or empty."""
    try:
        x, y, width, height = (
            parse_float(cells.get(f"face_{name}", ""), name) for name in ("x", "y", "width", "height")
        )
    except BadRow:
        return None
    return (x, y, x + width, y + height) if width > 0 and height > 0 else None


def _landmarks(cells: dict[str, str]) -> tuple[float, ...] | None:
    """Five points, from the 68 of the table."""
    numbers = cells.get("facial_landmarks", "").split(";")
    if len(numbers) != 2 * 68:
        return None
    try:  # parse only the numbers that are used: there are half a million rows
        return tuple(_mean([numbers[2 * index + axis] for index in part]) for part in _POINTS for axis in (0, 1))
    except BadRow:
        return None


def _mean(numbers: list[str]) -> float:
    return sum(parse_float(text, "landmark") for text in numbers) / len(numbers)


def _valid_paths(images: Iterable[str]) -> Iterator[str]:
    for image in images:
        try:
            yield relative_path(image)
        except BadRow:
            continue
