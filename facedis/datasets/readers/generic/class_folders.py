"""Images sorted into folders that are named after expressions."""

from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.walk import SPLIT_NAMES, iter_images
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import ALIASES, EIGHT


class ClassFolders:
    """Class folders at any depth: `happy/1.jpg`, `train/sad/2.jpg`, `studio/test/anger/day1/3.jpg`.

    Of the folders between the root and an image, the one nearest to the image whose name is a
    spelling that `taxonomy.ALIASES` knows gives the expression, and the nearest one called train,
    val, valid, validation or test gives the split. All other folders mean nothing here; in
    particular they name no identity (write a labels.csv to give identities).
    """

    name = "class-folders"
    cropped = False

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """1 where at least one image lies below a folder that is named after an expression."""
        return int(any(_nearest(image, ALIASES) for image in iter_images(root)))

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record an image, sorted by path; one that lies in no folder of any name is skipped.

        Raises:
            InputError: There is no image, or a folder of images has an unknown name: that concerns a
                whole class, which must not go missing.
        """
        images = sorted(iter_images(self.root))
        if not images:
            raise InputError(f"{self.root} holds no image", "name a folder of photographs")
        for image in images:
            expression = _nearest(image, ALIASES)
            if not expression:
                _refuse_unknown(self.root, image)
                yield Skipped(image, 0, "it lies in no folder that is named after an expression")
                continue
            yield FaceRecord(image, expression, split=_nearest(image, SPLIT_NAMES))


def _nearest(image: str, meanings: dict[str, str]) -> str:
    """What the folder nearest to `image` among those with a meaning means, "" where none has one."""
    folders = reversed(image.split("/")[:-1])
    return next((meanings[name.lower()] for name in folders if name.lower() in meanings), "")


def _refuse_unknown(root: Path, image: str) -> None:
    for folder in Path(image).parents[:-1]:
        if folder.name.lower() not in SPLIT_NAMES:
            raise InputError(
                f"the folder {root / folder} is not named after a known expression",
                f"name the folders after the expressions: {', '.join(EIGHT)}",
            )
