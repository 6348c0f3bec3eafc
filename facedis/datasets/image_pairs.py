"""Lists of pairs of images: a pairs.csv, or LFW's pairs.txt with its folders."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from facedis.datasets.formats.tables import Row, read_table
from facedis.datasets.formats.walk import iter_images
from facedis.datasets.readers.identity.lfw import read_lfw_pairs
from facedis.datasets.record import Skipped
from facedis.errors import InputError

#: Columns of a pairs.csv that name the images; all others are kept as they are.
IMAGE_COLUMNS = ("image1", "image2")


@dataclass(frozen=True)
class ImagePair:
    """Two images to compare.

    Attributes:
        line: Of the list, counted from 1.
        image1, image2: As the list names them.
        path1, path2: Where they should lie; nobody has looked yet.
        labels: What else the list says of the pair, by column.
    """

    line: int
    image1: str
    image2: str
    path1: Path
    path2: Path
    labels: dict[str, str] = field(default_factory=dict)


def read_pairs(path: Path, images: Path | None = None) -> Iterator[ImagePair | Skipped]:
    """The pairs of a list; what is wrong with one row is a `Skipped` in their midst.

    Args:
        path: A CSV file with the columns image1 and image2, or with the ending .txt a list of LFW's form.
        images: Folder below which the images lie; by default that of the list.

    Raises:
        InputError: The list or the folder cannot be read, or the list has not these columns.
    """
    root = path.parent if images is None else images
    if not path.is_file():
        raise InputError(f"there is no list of pairs {path}", "name a CSV file with the columns image1 and image2")
    if not root.is_dir():
        raise InputError(f"there is no folder {root}", "name the folder that the images of the pairs lie in")
    return _named(path, root) if path.suffix.lower() == ".txt" else _listed(path, root)


def _listed(path: Path, root: Path) -> Iterator[ImagePair | Skipped]:
    for row in read_table(path, path.parent, IMAGE_COLUMNS):
        if isinstance(row, Skipped):
            yield row
            continue
        names = [row.cells[column] for column in IMAGE_COLUMNS]
        if not all(names):
            yield Skipped(path.name, row.line, "it names only one image" if any(names) else "it names no image")
            continue
        yield ImagePair(row.line, *names, *(root / name.replace("\\", "/") for name in names), _labels(row))


def _labels(row: Row) -> dict[str, str]:
    return {column: value for column, value in row.cells.items() if column not in IMAGE_COLUMNS}


def _named(path: Path, root: Path) -> Iterator[ImagePair | Skipped]:
    """LFW names a person and a number: `Aaron_Eckhart_0001`, in any format and at any depth below `root`."""
    places: dict[str, str] = {}
    for image in iter_images(root):
        places.setdefault(Path(image).stem, image)
    for line, pair in read_lfw_pairs(path, path.name):
        if isinstance(pair, Skipped):
            yield pair
            continue
        names = [places.get(name, f"{name}.jpg") for name in (pair.first, pair.second)]
        labels = {"fold": str(pair.fold), "genuine": str(int(pair.genuine))}
        yield ImagePair(line, *names, *(root / name for name in names), labels)
