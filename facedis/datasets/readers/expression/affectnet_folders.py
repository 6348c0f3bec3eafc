"""AffectNet sorted into a folder for each expression, as scripts and shared copies of it leave it."""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.walk import SPLIT_NAMES, first_images, iter_images, subfolders
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import ALIASES, EIGHT

_NUMBERS = {form.format(number): name for number, name in enumerate(EIGHT) for form in ("{}", "{:02}")}
#: How AffectNet names images: a number, or 56 hexadecimal digits.
_NAMED = re.compile(r"(image)?(\d+|[0-9a-f]{56})\.\w+", re.IGNORECASE)


class AffectNetFolders:
    """`{train,val,...}/{0..7 or 00..07}/`, with AffectNet's ids, or with the expressions' names.

    Names are mapped as names, whatever order they sort in. Numbers mean AffectNet's ids, and nothing
    in such a folder proves it: `facedis align --check` compares the classes' sizes with the
    published ones. The faces are taken to be cut out already.
    """

    name = "affectnet-folders"
    cropped = True
    classes = EIGHT

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 for eight numbers and AffectNet's names of files, or eight names in a folder called AffectNet."""
        places = [root, *(root / name for name in subfolders(root) if name.lower() in SPLIT_NAMES)]
        for place in places:
            meanings = [_meaning(name) for name in subfolders(place)]
            if sorted(meanings) != sorted(EIGHT):
                continue
            if "affectnet" in root.resolve().name.lower():
                return 2
            images = first_images(place)
            numbered = all(name in _NUMBERS for name in subfolders(place))
            return 2 if numbered and images and all(_NAMED.fullmatch(Path(image).name) for image in images) else 0
        return 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record an image, sorted by path; one that lies in no expression's folder is skipped.

        Raises:
            InputError: There is no image, or a folder has neither an id nor a name of an expression.
        """
        images = sorted(iter_images(self.root))
        if not images:
            raise InputError(f"{self.root} holds no image", "name the folder that AffectNet is in")
        for image in images:
            folders = image.split("/")[:-1]
            split = next((SPLIT_NAMES[name.lower()] for name in folders if name.lower() in SPLIT_NAMES), "")
            classes = [name for name in folders if name.lower() not in SPLIT_NAMES]
            if not classes:
                yield Skipped(image, 0, "it lies in no expression's folder")
            elif not _meaning(classes[0]):
                raise InputError(
                    f"the folder {classes[0]} of {self.root} is no expression", "AffectNet's ids are 0 to 7"
                )
            else:
                yield FaceRecord(image, _meaning(classes[0]), split=split)


def _meaning(folder: str) -> str:
    return _NUMBERS.get(folder) or ALIASES.get(folder.lower(), "")
