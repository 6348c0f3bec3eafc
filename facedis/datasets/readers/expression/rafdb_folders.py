"""RAF-DB in numbered folders, with its own numbers or AffectNet's."""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.walk import SPLIT_NAMES, all_images_match, first_meaning, sorted_images
from facedis.datasets.readers.expression.rafdb import IDS
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import SEVEN

_IMAGE = re.compile(r"(?:.*/)?[0-7]/(train|test)_\d+(_aligned)?\.\w+")
_RAFDB = {str(number): name for number, name in enumerate(IDS) if name}
_AFFECTNET = {str(number): name for number, name in enumerate(SEVEN)}


class RafDbFolders:
    """`{train,test}/{1..7}/train_00001_aligned.jpg`, in some copies `{0..6}` in AffectNet's order.

    The same number means different expressions in the two orders. A folder 7 indicates RAF-DB's
    numbers, a folder 0 AffectNet's; a copy with neither or both is an error.
    """

    name = "rafdb-folders"
    cropped = True
    classes = SEVEN

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if all images have RAF-DB's names and are in folders of one digit, else 0."""
        return 2 * all_images_match(root, _IMAGE.fullmatch)

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per image, sorted by path; images outside the numbered folders are skipped.

        Raises:
            InputError: There is no image, or the order of the numbers is ambiguous.
        """
        images = sorted_images(self.root, "name the folder that RAF-DB is in")
        numbers = self._numbers({Path(image).parent.name for image in images})
        for image in images:
            expression = numbers.get(Path(image).parent.name, "")
            if expression:
                yield FaceRecord(image, expression, split=first_meaning(image.split("/")[:-1], SPLIT_NAMES))
            else:
                yield Skipped(image, 0, "it is not in an expression folder")

    def _numbers(self, folders: set[str]) -> dict[str, str]:
        if ("0" in folders) == ("7" in folders):
            raise InputError(
                f"the folders of {self.root} may have RAF-DB's numbers (1 to 7) or AffectNet's (0 to 6)",
                "name them after the expressions",
            )
        return _AFFECTNET if "0" in folders else _RAFDB
