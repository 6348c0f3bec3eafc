"""RAF-DB, basic expressions: a list of labels, and each photograph as it was and as an aligned face."""

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
_LIST = "list_patition_label.txt"  # as its authors spell it
_FORMS = ("aligned", "original")


class RafDb:
    """`EmoLabel/list_patition_label.txt` with `Image/aligned/*_aligned.jpg` or `Image/original/*.jpg`.

    Args:
        root: The folder that holds both, or one above it.
        images: "aligned" (faces of 100 x 100 pixels), "original" (photographs), or "" for the
            aligned ones where they are there. Five landmarks come with the photographs.
    """

    name = "rafdb"
    cropped = True
    classes = SEVEN

    def __init__(self, root: Path, images: str = "") -> None:
        if images not in ("", *_FORMS):
            raise ConfigError(f"the reader rafdb has no images '{images}'", "choose aligned or original")
        self.root = root
        self._list = find_file(root, {_LIST})
        self._base = (self._list or "").rpartition("/")[0].rpartition("/")[0]
        self._images = images or next((form for form in _FORMS if self._folder(form).is_dir()), _FORMS[0])
        self.cropped = self._images == "aligned"

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 where the list is there."""
        return 2 if find_file(root, {_LIST}) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record a line, in the list's order; the split is the first word of the image's name.

        Raises:
            InputError: There is no list.
        """
        if self._list is None:
            raise InputError(f"{self.root} holds no {_LIST}", "name the folder that RAF-DB is in")
        yield from records_from_rows(self._rows(self._list), self._list, self._record)

    def _rows(self, path: str) -> Iterator[Row | Skipped]:
        for line, offset, text in read_lines(self.root / path):
            words = (text or "").split()
            if text is None or len(words) not in (0, 2):
                yield Skipped(path, line, "it is not an image and a label")
            elif words:
                yield Row(line, offset, {"image": words[0], "label": words[1]})

    def _record(self, row: Row) -> FaceRecord:
        name = relative_path(row.cells["image"])
        split = name.partition("_")[0]
        if split not in ("train", "test"):
            raise BadRow("the name of its image begins with neither train nor test")
        expression = expression_of_label(IDS, parse_int(row.cells["label"], "label"))
        stem, _, suffix = name.rpartition(".")
        file = f"{stem}_aligned.{suffix}" if self.cropped else name
        image = (self._folder(self._images) / file).relative_to(self.root).as_posix()
        return FaceRecord(image, expression, split=split, landmarks=None if self.cropped else self._landmarks(stem))

    def _folder(self, form: str) -> Path:
        return self.root / self._base / "Image" / form

    def _landmarks(self, stem: str) -> tuple[float, ...] | None:
        """The first five lines of the annotation made by hand."""
        path = self.root / self._base / "Annotation" / "manual" / f"{stem}_manu_attri.txt"
        try:
            numbers = [float(word) for line in path.read_text().splitlines()[:5] for word in line.split()]
        except (OSError, ValueError):
            return None
        return tuple(numbers) if len(numbers) == 10 else None
