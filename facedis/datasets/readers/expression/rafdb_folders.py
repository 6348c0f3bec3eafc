"""RAF-DB sorted into numbered folders, the numbers being its own or AffectNet's."""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.walk import SPLIT_NAMES, first_images, iter_images
from facedis.datasets.readers.expression.rafdb import IDS
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import SEVEN

_NAMED = re.compile(r"(train|test)_\d+(_aligned)?\.\w+")
_OWN = {str(number): name for number, name in enumerate(IDS) if name}
_AFFECTNET = {str(number): name for number, name in enumerate(SEVEN)}


class RafDbFolders:
    """`{train,test}/{1..7}/train_00001_aligned.jpg`, in some copies `{0..6}` in AffectNet's order.

    The same digits mean different expressions in both. A folder 7 tells RAF-DB's own numbers, a
    folder 0 AffectNet's; a copy with neither or both is refused.
    """

    name = "rafdb-folders"
    cropped = True
    classes = SEVEN

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 where images are named as RAF-DB names them and lie in folders of one digit."""
        images = [Path(image) for image in first_images(root)]
        named = all(_NAMED.fullmatch(image.name) and re.fullmatch("[0-7]", image.parent.name) for image in images)
        return 2 if images and named else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record an image, sorted by path; one that lies in no numbered folder is skipped.

        Raises:
            InputError: There is no image, or the numbers can mean two things.
        """
        images = sorted(iter_images(self.root))
        if not images:
            raise InputError(f"{self.root} holds no image", "name the folder that RAF-DB is in")
        numbers = self._numbers({Path(image).parent.name for image in images})
        for image in images:
            folders = image.split("/")[:-1]
            expression = numbers.get(folders[-1], "") if folders else ""
            split = next((SPLIT_NAMES[name.lower()] for name in folders if name.lower() in SPLIT_NAMES), "")
            if expression:
                yield FaceRecord(image, expression, split=split)
            else:
                yield Skipped(image, 0, "it lies in no expression's folder")

    def _numbers(self, folders: set[str]) -> dict[str, str]:
        if ("0" in folders) == ("7" in folders):
            raise InputError(
                f"the folders of {self.root} can be numbered in RAF-DB's way (1 to 7) or AffectNet's (0 to 6)",
                "name them after the expressions",
            )
        return _AFFECTNET if "0" in folders else _OWN
