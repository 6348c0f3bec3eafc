"""JAFFE: ten women with seven expressions, labelled by file names."""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.walk import all_images_match, sorted_images
from facedis.datasets.record import FaceRecord, Skipped
from facedis.taxonomy import ALIASES, SEVEN

_IMAGE = re.compile(r"(?:.*/)?([A-Z]{2})[.-](AN|DI|FE|HA|NE|SA|SU)\d?[.-]\d+(\.\w+)+")


class Jaffe:
    """`KA.AN1.39.tiff` is the first angry image of KA; in any folders. 256 x 256 pixels, grey."""

    name = "jaffe"
    cropped = False
    classes = SEVEN

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if all images have such names, else 0."""
        return 2 * all_images_match(root, _IMAGE.fullmatch)

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per image, sorted by path; images with other names are skipped.

        Raises:
            InputError: There is no image.
        """
        for image in sorted_images(self.root, "name the folder that JAFFE is in"):
            match = _IMAGE.fullmatch(image)
            if match:
                yield FaceRecord(image, ALIASES[match[2].lower()], match[1])
            else:
                yield Skipped(image, 0, "it is not named like KA.AN1.39.tiff")
