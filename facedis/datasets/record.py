"""The records that dataset readers yield, and the reader interface."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})

#: Reason for skipping an image whose file name is not UTF-8 and so cannot be stored in a faces cache.
NOT_UTF8 = "its name is not UTF-8: rename it"


def is_utf8(name: str) -> bool:
    """Whether a file name is UTF-8; Python represents other bytes of a name as lone surrogates."""
    return not any("\ud800" <= char <= "\udfff" for char in name)


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """One image of a dataset.

    Attributes:
        image: Path relative to the dataset's root, with forward slashes; unique within the dataset.
        expression: A name in `taxonomy.EIGHT`, "" if unlabelled.
        identity: Identity label of the dataset, "" if unknown.
        split: "train", "val" or "test", "" if the dataset defines no split.
        box: Annotated face box: left, top, right, bottom in pixels.
        landmarks: Five annotated points x, y, x, y, ... in pixels: eye, eye, nose, mouth corner,
            mouth corner, each pair ordered from the image's left to its right.
        container: File relative to the root that contains the image, "" if the image is its own file.
        offset: Byte offset of the image in `container`.
        factors: Known numeric factors, in the order of the reader's `factor_names`.
    """

    image: str
    expression: str = ""
    identity: str = ""
    split: str = ""
    box: tuple[float, float, float, float] | None = None
    landmarks: tuple[float, ...] | None = None
    container: str = ""
    offset: int = 0
    factors: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row or an image that cannot be used.

    Attributes:
        file: Path relative to the dataset's root of the table, or of the image itself.
        line: Line of the table, from 1; 0 if `file` is not a table.
        reason: Why it is skipped; the same text for the same cause, so that rows can be counted by it.
    """

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}: {self.reason}"


class Reader(Protocol):
    """Interface of a dataset reader, an entry point of the group `facedis.datasets`.

    The constructor may take further keyword arguments with defaults; the user sets them with
    `--dataset name:key=value`. A reader whose images are stored in container files also has a method
    `image_bytes(record) -> bytes`, which returns an encoded image of any common format. It is called
    for records with a `container`, possibly from several threads.

    Optional attributes:
        classes: The dataset's fixed vocabulary, a tuple of names in `taxonomy.EIGHT`. Without it the
            vocabulary follows from the expressions that occur.
        factor_names: Names of the records' `factors`.

    Attributes:
        name: Name of the entry point.
        cropped: Whether the images are already cropped faces, so that no detector is needed.
    """

    name: str
    cropped: bool

    def __init__(self, root: Path) -> None: ...

    @classmethod
    def match_score(cls, root: Path) -> int:
        """How well the layout of `root` matches: 0 not at all, 1 a generic layout, 2 a named layout."""
        ...

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per image, without opening the images.

        The order depends on the folder's contents only. A single bad row or image yields a `Skipped`
        and raises nothing.

        Raises:
            InputError: The folder does not have the reader's layout (no table, unknown class folder).
        """
        ...
