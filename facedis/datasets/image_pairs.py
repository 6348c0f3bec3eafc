"""Lists of image pairs: a pairs.csv, or LFW's pairs.txt."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from facedis.datasets.formats.tables import read_table
from facedis.datasets.formats.walk import iter_images
from facedis.datasets.readers.identity.lfw import read_lfw_pairs
from facedis.datasets.record import Skipped
from facedis.errors import InputError

#: Columns of a pairs.csv that name the images; the other columns are labels.
IMAGE_COLUMNS = ("image1", "image2")


@dataclass(frozen=True)
class ImagePair:
    """Two images to compare.

    Attributes:
        line: Line of the list, from 1.
        image1, image2: Names in the list.
        path1, path2: Paths of the images, which may not exist.
        labels: Cells of the other columns.
    """

    line: int
    image1: str
    image2: str
    path1: Path
    path2: Path
    labels: dict[str, str] = field(default_factory=dict)


def read_pairs(path: Path, images: Path | None = None) -> Iterator[ImagePair | Skipped]:
    """Yield the pairs of a list, and a `Skipped` for each unusable row.

    Args:
        path: A CSV file with the columns image1 and image2, or a list in LFW's format with the suffix .txt.
        images: Folder of the images, by default that of the list.

    Raises:
        InputError: The list or the folder cannot be read, or a column is missing.
    """
    root = path.parent if images is None else images
    if not path.is_file():
        raise InputError(f"there is no list of pairs {path}", "name a CSV file with the columns image1 and image2")
    if not root.is_dir():
        raise InputError(f"there is no folder {root}", "name the folder with the images of the pairs")
    return _read_lfw(path, root) if path.suffix.lower() == ".txt" else _read_csv(path, root)


def _read_csv(path: Path, root: Path) -> Iterator[ImagePair | Skipped]:
    for row in read_table(path, path.parent, IMAGE_COLUMNS):
        if isinstance(row, Skipped):
            yield row
            continue
        first, second = (row.cells[column] for column in IMAGE_COLUMNS)
        if not first or not second:
            yield Skipped(path.name, row.line, "it names only one image" if first or second else "it names no image")
            continue
        labels = {column: value for column, value in row.cells.items() if column not in IMAGE_COLUMNS}
        path1, path2 = (root / name.replace("\\", "/") for name in (first, second))
        yield ImagePair(row.line, first, second, path1, path2, labels)


def _read_lfw(path: Path, root: Path) -> Iterator[ImagePair | Skipped]:
    """Find each image by its stem, such as `Aaron_Eckhart_0001`, in any format and at any depth below `root`."""
    by_stem: dict[str, str] = {}
    for image in iter_images(root):
        by_stem.setdefault(Path(image).stem, image)
    for line, pair in read_lfw_pairs(path, path.name):
        if isinstance(pair, Skipped):
            yield pair
            continue
        first, second = (by_stem.get(name, f"{name}.jpg") for name in (pair.first, pair.second))
        labels = {"fold": str(pair.fold), "genuine": str(int(pair.genuine))}
        yield ImagePair(line, first, second, root / first, root / second, labels)
