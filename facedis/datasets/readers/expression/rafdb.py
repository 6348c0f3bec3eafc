"""RAF-DB, basic expressions: a table of labels, with photographs and aligned faces."""

from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.tables import (
    BadRow,
    Row,
    expression_of_label,
    parse_int,
    read_lines,
    records_from_rows,
    relative_path,
)
from facedis.datasets.formats.walk import find_file
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import ConfigError, InputError
from facedis.taxonomy import SEVEN

#: The expressions by RAF-DB's numbers, which begin with 1.
IDS = ("", "surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
_TABLE = "list_patition_label.txt"  # sic
_KINDS = ("aligned", "original")


class RafDb:
    """`EmoLabel/list_patition_label.txt` with `Image/aligned/*_aligned.jpg` or `Image/original/*.jpg`.

    Args:
        root: The folder that contains both, or one above it.
        images: "aligned" (faces of 100 x 100 pixels), "original" (photographs, with five landmarks),
            or "" for the aligned ones where they exist.
    """

    name = "rafdb"
    cropped = True
    classes = SEVEN

    def __init__(self, root: Path, images: str = "") -> None:
        if images not in ("", *_KINDS):
            raise ConfigError(f"the reader rafdb has no images '{images}'", "choose aligned or original")
        self.root = root
        self._table = find_file(root, _TABLE)
        self._base = (self._table or "").rpartition("/")[0].rpartition("/")[0]
        self._images = images or next((kind for kind in _KINDS if self._folder(kind).is_dir()), _KINDS[0])
        self.cropped = self._images == "aligned"

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if the table exists, else 0."""
        return 2 if find_file(root, _TABLE) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per line, in the table's order; the file name begins with the split.

        Raises:
            InputError: There is no table.
        """
        if self._table is None:
            raise InputError(f"{self.root} holds no {_TABLE}", "name the folder that RAF-DB is in")
        yield from records_from_rows(self._rows(self._table), self._table, self._parse)

    def _rows(self, path: str) -> Iterator[Row | Skipped]:
        for line, offset, text in read_lines(self.root / path):
            words = (text or "").split()
            if text is None or len(words) not in (0, 2):
                yield Skipped(path, line, "it is not an image and a label")
            elif words:
                yield Row(line, offset, {"image": words[0], "label": words[1]})

    def _parse(self, row: Row) -> FaceRecord:
        name = relative_path(row.cells["image"])
        split = name.partition("_")[0]
        if split not in ("train", "test"):
            raise BadRow("the name of its image begins with neither train nor test")
        expression = expression_of_label(IDS, parse_int(row.cells["label"], "label"))
        stem, _, suffix = name.rpartition(".")
        file = f"{stem}_aligned.{suffix}" if self.cropped else name
        image = (self._folder(self._images) / file).relative_to(self.root).as_posix()
        return FaceRecord(image, expression, split=split, landmarks=None if self.cropped else self._landmarks(stem))

    def _folder(self, kind: str) -> Path:
        return self.root / self._base / "Image" / kind

    def _landmarks(self, stem: str) -> tuple[float, ...] | None:
        """The first five lines of the manual annotation."""
        path = self.root / self._base / "Annotation" / "manual" / f"{stem}_manu_attri.txt"
        try:
            numbers = [float(word) for line in path.read_text().splitlines()[:5] for word in line.split()]
        except (OSError, ValueError):
            return None
        return tuple(numbers) if len(numbers) == 10 else None
