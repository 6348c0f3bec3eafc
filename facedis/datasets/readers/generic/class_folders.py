"""Images in folders named after expressions."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from facedis.datasets.formats.walk import SPLIT_NAMES, first_meaning, iter_images, sorted_images
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import ALIASES, EIGHT


class ClassFolders:
    """Class folders at any depth: `happy/1.jpg`, `train/sad/2.jpg`, `studio/test/anger/day1/3.jpg`.

    The expression is given by the innermost folder whose name is a spelling in `taxonomy.ALIASES`,
    the split by the innermost one called train, val, valid, validation or test. Other folders are
    ignored; in particular they are not identities (a labels.csv gives identities).
    """

    name = "class-folders"
    cropped = False

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """1 if at least one image is in a folder named after an expression, else 0."""
        return int(any(_innermost(image, ALIASES) for image in iter_images(root)))

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per image, sorted by path; images outside any class folder are skipped.

        Raises:
            InputError: There is no image, or a class folder has an unknown name, so that a whole class
                would be missing.
        """
        for image in sorted_images(self.root, "name a folder of photographs"):
            expression = _innermost(image, ALIASES)
            if expression:
                yield FaceRecord(image, expression, split=_innermost(image, SPLIT_NAMES))
            else:
                _refuse_unknown(self.root, image)
                yield Skipped(image, 0, "it is not in a folder named after an expression")


def _innermost(image: str, meanings: Mapping[str, str]) -> str:
    return first_meaning(reversed(image.split("/")[:-1]), meanings)


def _refuse_unknown(root: Path, image: str) -> None:
    for folder in Path(image).parents[:-1]:
        if folder.name.lower() not in SPLIT_NAMES:
            raise InputError(
                f"the folder {root / folder} is not named after a known expression",
                f"name the folders after the expressions: {', '.join(EIGHT)}",
            )
