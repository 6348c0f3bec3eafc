"""The images below a folder, and the names by which folders tell a split."""

import os
from collections.abc import Iterator
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


def images_below(root: Path) -> Iterator[str]:
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


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
