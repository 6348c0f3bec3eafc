"""JAFFE: ten women, seven expressions, everything in the names of the files."""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.walk import first_images, iter_images
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import ALIASES, SEVEN

_NAMED = re.compile(r"([A-Z]{2})[.-](AN|DI|FE|HA|NE|SA|SU)\d?[.-]\d+(\.\w+)+")


class Jaffe:
    """`KA.AN1.39.tiff` is KA's first angry face, in one folder or sorted into any. 256 x 256, grey."""

    name = "jaffe"
    cropped = False
    classes = SEVEN

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 where all images are named that way."""
        images = first_images(root)
        return 2 if images and all(_NAMED.fullmatch(Path(image).name) for image in images) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record an image, sorted by path; one that is named otherwise is skipped.

        Raises:
            InputError: There is no image.
        """
        found = False
        for image in sorted(iter_images(self.root)):
            found = True
            named = _NAMED.fullmatch(Path(image).name)
            if named:
                yield FaceRecord(image, ALIASES[named[2].lower()], named[1])
            else:
                yield Skipped(image, 0, "it is not named like KA.AN1.39.tiff")
        if not found:
            raise InputError(f"{self.root} holds no image", "name the folder that JAFFE is in")
