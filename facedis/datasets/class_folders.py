"""Images sorted into folders that are named after expressions."""

from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.record import FaceRecord
from facedis.datasets.walk import SPLIT_NAMES, images_below
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
    def recognises(cls, root: Path) -> int:
        """1 where at least one image lies below a folder that is named after an expression."""
        return int(any(_nearest(image, ALIASES) for image in images_below(root)))

    def records(self) -> Iterator[FaceRecord]:
        """One record an image, sorted by path.

        Raises:
            InputError: There is no image, or one lies below no folder of a known name.
        """
        images = sorted(images_below(self.root))
        if not images:
            raise InputError(f"{self.root} holds no image", "name a folder of photographs")
        for image in images:
            expression = _nearest(image, ALIASES)
            if not expression:
                raise _unknown(self.root, image)
            yield FaceRecord(image, expression, split=_nearest(image, SPLIT_NAMES))


def _nearest(image: str, meanings: dict[str, str]) -> str:
    """What the folder nearest to `image` among those with a meaning means, "" where none has one."""
    folders = reversed(image.split("/")[:-1])
    return next((meanings[name.lower()] for name in folders if name.lower() in meanings), "")


def _unknown(root: Path, image: str) -> InputError:
    names = f"name the folders after the expressions: {', '.join(EIGHT)}"
    for folder in Path(image).parents[:-1]:
        if folder.name.lower() not in SPLIT_NAMES:
            return InputError(f"the folder {root / folder} is not named after a known expression", names)
    return InputError(f"{root / image} lies in no folder that is named after an expression", names)
