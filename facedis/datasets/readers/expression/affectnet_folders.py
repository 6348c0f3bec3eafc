"""AffectNet in one folder per expression, as conversion scripts write it."""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.walk import (
    SPLIT_NAMES,
    all_images_match,
    first_meaning,
    sorted_images,
    subfolders,
)
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import ALIASES, EIGHT

_NUMBERS = {form.format(number): name for number, name in enumerate(EIGHT) for form in ("{}", "{:02}")}
#: AffectNet's file names: a number, or 56 hexadecimal digits.
_IMAGE = re.compile(r"(?:.*/)?(image)?(\d+|[0-9a-f]{56})\.\w+", re.IGNORECASE)


class AffectNetFolders:
    """`{train,val,...}/{0..7 or 00..07}/` with AffectNet's ids, or with the names of the expressions.

    Folder names are mapped by name, not by sort order. Numbers are taken to be AffectNet's ids, which
    the folder alone cannot confirm: `facedis align --check` compares the class sizes with the expected
    ones. The images are taken to be cropped faces.
    """

    name = "affectnet-folders"
    cropped = True
    classes = EIGHT

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 for eight numbers with AffectNet's file names, or eight names below a folder called AffectNet, else 0."""
        for folder in (root, *(root / name for name in subfolders(root) if name.lower() in SPLIT_NAMES)):
            names = subfolders(folder)
            if sorted(map(_expression, names)) != sorted(EIGHT):
                continue
            if "affectnet" in root.resolve().name.lower():
                return 2
            return 2 * (all(name in _NUMBERS for name in names) and all_images_match(folder, _IMAGE.fullmatch))
        return 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per image, sorted by path; images outside the expression folders are skipped.

        Raises:
            InputError: There is no image, or a folder is neither an id nor the name of an expression.
        """
        for image in sorted_images(self.root, "name the folder that AffectNet is in"):
            folders = image.split("/")[:-1]
            classes = [name for name in folders if name.lower() not in SPLIT_NAMES]
            if not classes:
                yield Skipped(image, 0, "it is not in an expression folder")
            elif not _expression(classes[0]):
                raise InputError(
                    f"the folder {classes[0]} of {self.root} is not an expression", "AffectNet's ids are 0 to 7"
                )
            else:
                yield FaceRecord(image, _expression(classes[0]), split=first_meaning(folders, SPLIT_NAMES))


def _expression(folder: str) -> str:
    return _NUMBERS.get(folder) or ALIASES.get(folder.lower(), "")
