"""FER2013 unpacked into folders, as the common copies of the 2013 challenge set come."""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.walk import first_images, iter_images
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import SEVEN, parse_expression

#: What the challenge calls the splits.
USAGES = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
_NAMED = re.compile(r"(Training|PublicTest|PrivateTest)_\d+\.\w+")
_TWO = ("train", "test")


class Fer2013:
    """`{Training,PublicTest,PrivateTest}/<expression>/*.jpg`: 48 x 48 grey faces, no identities.

    PublicTest is the validation set and PrivateTest the test set, as in the challenge. Copies with
    only the folders `train` and `test` are read where the files keep the challenge's names
    (`test/happy/PrivateTest_123.jpg`), which tell the two test sets apart.
    """

    name = "fer2013"
    cropped = True
    classes = SEVEN

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 where the challenge's three folders are there, or two with its names of files."""
        if all((root / folder).is_dir() for folder in USAGES):
            return 2
        names = [image for folder in _TWO for image in first_images(root / folder)]
        return 2 if names and all(_NAMED.fullmatch(image.rpartition("/")[2]) for image in names) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record an image, sorted by path; one that lies in no expression's folder is skipped.

        Raises:
            InputError: There is no image, or a folder is not named after one of the seven expressions.
        """
        found = False
        folders = USAGES if (self.root / "Training").is_dir() else _TWO
        for folder in sorted(folders):
            for image in sorted(iter_images(self.root / folder)):
                found = True
                yield self._record(folder, image)
        if not found:
            raise InputError(f"{self.root} holds no image", "unpack the set again")

    def _record(self, folder: str, image: str) -> FaceRecord | Skipped:
        name, _, rest = image.partition("/")
        if not rest:
            return Skipped(f"{folder}/{image}", 0, "it lies in no expression's folder")
        expression = parse_expression(name, str(self.root / folder))
        named = _NAMED.fullmatch(rest.rpartition("/")[2])
        usage = folder if folder in USAGES else named and named[1]
        if usage is None:
            return Skipped(f"{folder}/{image}", 0, "its name does not begin with Training, PublicTest or PrivateTest")
        return FaceRecord(f"{folder}/{image}", expression, split=USAGES[usage])
