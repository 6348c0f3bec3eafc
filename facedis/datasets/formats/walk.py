"""The images below a folder, and the names by which folders tell a split."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from facedis.datasets.record import IMAGE_SUFFIXES

#: Every known spelling of a split, in lower case.
SPLIT_NAMES = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


def iter_images(root: Path) -> Iterator[str]:
    """Paths of all image files below `root`, with forward slashes, folder by folder in sorted order.

    Hidden files and folders and the `__MACOSX` folders of unpacked archives are left out. A linked
    folder is followed, but no folder is entered twice.
    """
    entered = set()
    for folder, names, files in os.walk(root, followlinks=True):
        place = os.path.realpath(folder)
        if place in entered:
            names.clear()
            continue
        entered.add(place)
        names[:] = sorted(name for name in names if not _hidden(name))
        below = Path(folder).relative_to(root)
        for file in sorted(files):
            if not _hidden(file) and Path(file).suffix.lower() in IMAGE_SUFFIXES:
                yield (below / file).as_posix()


def first_images(root: Path, most: int = 100) -> list[str]:
    """The first images below `root`, enough to tell how files are named."""
    return list(islice(iter_images(root), most))


def iter_folders(root: Path, depth: int) -> Iterator[str]:
    """Paths of the folders at most `depth` below `root`, "" for itself, the nearest first.

    Folders with only digits in their names are left out: they are the shards in which large
    datasets keep their images.
    """
    level = [""]
    for _ in range(depth + 1):
        yield from level
        level = [
            f"{folder}/{name}".lstrip("/")
            for folder in level
            for name in subfolders(root / folder)
            if not name.isdigit()
        ]


def find_file(root: Path, names: set[str], depth: int = 3) -> str | None:
    """The file below `root`, nearest first, whose name in lower case is one of `names`."""
    for folder in iter_folders(root, depth):
        for name, is_folder in _entries(root / folder):
            if name.lower() in names and not is_folder:
                return f"{folder}/{name}".lstrip("/")
    return None


def subfolders(folder: Path) -> list[str]:
    """The names of the folders in `folder`, sorted, without hidden ones."""
    return [name for name, is_folder in _entries(folder) if is_folder]


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """(name, whether it is a folder) of what lies in `folder`, sorted; nothing where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry.name, entry.is_dir()) for entry in entries if not _hidden(entry.name))
    except OSError:
        return []


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
