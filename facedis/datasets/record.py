"""What a dataset reader gives: one record an image, in a fixed order, without opening the image."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})


#: Why an image is skipped whose name no cache can hold: Linux lets a name be any bytes.
NOT_UTF8 = "its name is not UTF-8: rename it"


def is_utf8(name: str) -> bool:
    """Whether the name of a file is text; where it is not, Python carries its bytes in lone surrogates."""
    return not any("\ud800" <= sign <= "\udfff" for sign in name)


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """One image of a dataset.

    Attributes:
        image: Path below the dataset's root, with forward slashes: the key of the row.
        expression: A name of `taxonomy.EIGHT`, or "" where the dataset gives none.
        identity: The person, as the dataset names them, or "" where it does not.
        split: "train", "val" or "test", or "" where the dataset brings no split.
        box: Face box given by the dataset: left, top, right, bottom in pixels.
        landmarks: Five points given by the dataset, as x, y, x, y, ... in pixels: eye, eye, nose,
            mouth corner, mouth corner, each pair from the image's left to its right.
        container: File below the root that holds the image, where the image is no file of its own.
        offset: Byte of `container` at which it begins.
        factors: Further known numbers, in the order of the reader's `factor_names`.
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
    """A row of a list, or an image, that became no record, and why.

    Attributes:
        file: Path below the dataset's root of the list, or of the image itself.
        line: Of the list, counted from 1; 0 where `file` is no list.
        reason: In words that are equal for rows that are skipped for the same reason.
    """

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}: {self.reason}"


class Reader(Protocol):
    """A folder as it lies on disk, read as `FaceRecord`s. An entry point of `facedis.datasets`.

    A reader may take further keyword arguments with defaults; the user sets them with
    `--dataset name:key=value`. One whose images are no files of their own also has a method
    `image_bytes(record)`, which gives the bytes of an image file of any common format and may be
    called from several threads; it is asked for records with a `container`.

    Attributes:
        name: Short name, the one of the entry point.
        cropped: Whether the images are faces already, so that no detector should run.
        classes: The vocabulary where the dataset fixes one; may be left out, and then the
            expressions that occur decide.
        factor_names: Names of the records' `factors`; may be left out where there are none.
    """

    name: str
    cropped: bool

    def __init__(self, root: Path) -> None: ...

    @classmethod
    def match_score(cls, root: Path) -> int:
        """How sure this reader is that `root` is its dataset: 0 no, 1 generic layout, 2 named layout."""
        ...

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """All records, in an order that depends on nothing but the folder's content.

        What is wrong with one row or image is a `Skipped` in their midst, never an error.

        Raises:
            InputError: The folder is not what this reader reads (no list, unknown class folder).
        """
        ...
