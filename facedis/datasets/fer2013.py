"""FER2013 unpacked into folders, as the common copies of the 2013 challenge set come."""

from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.record import FaceRecord
from facedis.datasets.walk import images_below
from facedis.errors import InputError
from facedis.taxonomy import SEVEN, expression_named

_SPLITS = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}


class Fer2013Folders:
    """`{Training,PublicTest,PrivateTest}/<expression>/*.jpg`: 48 x 48 grey faces, no identities.

    PublicTest is the validation set and PrivateTest the test set, as in the challenge.
    """

    name = "fer2013"
    cropped = True
    classes = SEVEN

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def recognises(cls, root: Path) -> int:
        """2 where the challenge's three folders are there."""
        return 2 if all((root / folder).is_dir() for folder in _SPLITS) else 0

    def records(self) -> Iterator[FaceRecord]:
        """One record an image, sorted by path.

        Raises:
            InputError: There is no image, or a folder is not named after one of the seven expressions.
        """
        found = False
        for folder in sorted(_SPLITS):
            for image in sorted(images_below(self.root / folder)):
                found = True
                name, _, rest = image.partition("/")
                where = f"{self.root / folder}"
                if not rest:
                    raise InputError(f"{where}/{image} lies in no expression's folder", "unpack the set again")
                yield FaceRecord(f"{folder}/{image}", expression_named(name, where), split=_SPLITS[folder])
        if not found:
            raise InputError(f"{self.root} holds no image", "unpack the set again")
