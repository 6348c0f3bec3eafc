"""FER2013 as image folders."""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.walk import first_images, iter_images
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import SEVEN, parse_expression

#: Split by its name in the 2013 challenge.
USAGES = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
_IMAGE = re.compile(r"(?:.*/)?(Training|PublicTest|PrivateTest)_\d+\.\w+")
_TWO_FOLDERS = ("train", "test")


class Fer2013Folders:
    """`{Training,PublicTest,PrivateTest}/<expression>/*.jpg`: 48 x 48 grey faces, no identities.

    PublicTest is the validation set and PrivateTest the test set, as in the challenge. Copies with only
    the folders `train` and `test` are supported if the files have the challenge's names
    (`test/happy/PrivateTest_123.jpg`), which distinguish the two test sets.
    """

    name = "fer2013"
    cropped = True
    classes = SEVEN

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if there are the challenge's three folders, or `train` and `test` with its file names, else 0."""
        if all((root / folder).is_dir() for folder in USAGES):
            return 2
        images = [image for folder in _TWO_FOLDERS for image in first_images(root / folder)]
        return 2 if images and all(_IMAGE.fullmatch(image) for image in images) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per image, sorted by path; images outside the expression folders are skipped.

        Raises:
            InputError: There is no image, or a folder is not named after one of the seven expressions.
        """
        found = False
        folders = USAGES if (self.root / "Training").is_dir() else _TWO_FOLDERS
        for folder in sorted(folders):
            for image in sorted(iter_images(self.root / folder)):
                found = True
                yield self._record(folder, image)
        if not found:
            raise InputError(f"{self.root} holds no image", "unpack the set again")

    def _record(self, folder: str, image: str) -> FaceRecord | Skipped:
        name, _, rest = image.partition("/")
        if not rest:
            return Skipped(f"{folder}/{image}", 0, "it is not in an expression folder")
        expression = parse_expression(name, str(self.root / folder))
        match = _IMAGE.fullmatch(rest)
        usage = folder if folder in USAGES else match and match[1]
        if usage is None:
            return Skipped(f"{folder}/{image}", 0, "its name does not begin with Training, PublicTest or PrivateTest")
        return FaceRecord(f"{folder}/{image}", expression, split=USAGES[usage])
