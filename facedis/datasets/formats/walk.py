"""Images and folders below a dataset's root, and what folder names mean."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from facedis.datasets.record import IMAGE_SUFFIXES
from facedis.errors import InputError

#: Split by known spelling, in lower case.
SPLIT_NAMES = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


def iter_images(root: Path) -> Iterator[str]:
    """Yield the paths of all image files below `root`, with forward slashes, folder by folder, sorted.

    Hidden files and folders and the `__MACOSX` folders of unpacked archives are left out. Symbolic
    links to folders are followed, but each folder is entered once only.
    """
    entered = set()
    for folder, names, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in entered:
            names.clear()
            continue
        entered.add(real)
        names[:] = sorted(name for name in names if not _is_hidden(name))
        relative = Path(folder).relative_to(root)
        for file in sorted(files):
            if not _is_hidden(file) and Path(file).suffix.lower() in IMAGE_SUFFIXES:
                yield (relative / file).as_posix()


def sorted_images(root: Path, hint: str) -> list[str]:
    """Return the paths of all image files below `root`, sorted.

    Raises:
        InputError: There is no image; `hint` is the error's hint.
    """
    images = sorted(iter_images(root))
    if not images:
        raise InputError(f"{root} holds no image", hint)
    return images


def first_images(root: Path, limit: int = 100) -> list[str]:
    """Return the first images below `root`, as a sample of how the files are named."""
    return list(islice(iter_images(root), limit))


def all_images_match(root: Path, matches: Callable[[str], object]) -> bool:
    """Whether there are images below `root` and `matches` holds for all of the first ones."""
    images = first_images(root)
    return bool(images) and all(matches(image) for image in images)


def first_meaning(folders: Iterable[str], meanings: Mapping[str, str]) -> str:
    """Return the meaning of the first of `folders` that has one, "" if none has."""
    return next((meanings[name.lower()] for name in folders if name.lower() in meanings), "")


def iter_folders(root: Path, depth: int) -> Iterator[str]:
    """Yield the paths of the folders at most `depth` levels below `root`, "" for itself, level by level.

    Folders with names of digits only are left out: large datasets store their images in such shards.
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


def find_file(root: Path, name: str, depth: int = 3) -> str | None:
    """Return the path of the topmost file called `name`, in any case, at most `depth` levels below `root`."""
    for folder in iter_folders(root, depth):
        for file in files_in(root / folder):
            if file.lower() == name:
                return f"{folder}/{file}".lstrip("/")
    return None


def subfolders(folder: Path) -> list[str]:
    """Return the sorted names of the folders in `folder`, without hidden ones; none where it is missing."""
    return [name for name, is_folder in _entries(folder) if is_folder]


def files_in(folder: Path) -> list[str]:
    """Return the sorted names of the files in `folder`, without hidden ones; none where it is missing."""
    return [name for name, is_folder in _entries(folder) if not is_folder]


def _entries(folder: Path) -> list[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((entry.name, entry.is_dir()) for entry in entries if not _is_hidden(entry.name))
    except OSError:
        return []


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
