"""What a dataset reader gives: one record an image, in a fixed order, without opening the image."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """One image of a dataset.

    Attributes:
        image: Path below the dataset's root, with forward slashes: the key of the row.
        expression: A name of `taxonomy.EIGHT`, or "" where the dataset gives none.
        identity: The person, as the dataset names them, or "" where it does not.
        split: "train", "val" or "test", or "" where the dataset brings no split.
        box: Face box given by the dataset: left, top, right, bottom in pixels.
    """

    image: str
    expression: str = ""
    identity: str = ""
    split: str = ""
    box: tuple[float, float, float, float] | None = None


class Reader(Protocol):
    """A folder as it lies on disk, read as `FaceRecord`s. An entry point of `facedis.datasets`.

    Attributes:
        name: Short name, the one of the entry point.
        cropped: Whether the images are faces already, so that no detector should run.
        classes: The vocabulary where the dataset fixes one; may be left out, and then the
            expressions that occur decide.
    """

    name: str
    cropped: bool

    def __init__(self, root: Path) -> None: ...

    @classmethod
    def recognises(cls, root: Path) -> int:
        """How sure this reader is that `root` is its dataset: 0 no, 1 generic layout, 2 named layout."""
        ...

    def records(self) -> Iterator[FaceRecord]:
        """All records, in an order that depends on nothing but the folder's content.

        Raises:
            InputError: The folder is not what this reader reads (unknown class, no image).
        """
        ...
