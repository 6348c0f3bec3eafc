"""CASIA-WebFace as photographs, one folder per identity."""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.walk import all_images_match, sorted_images
from facedis.datasets.record import FaceRecord, Skipped

_IMAGE = re.compile(r"(?:.*/)?(\d{7})/\d{3,}\.\w+")


class Casia:
    """`0000045/001.jpg`: folders of seven digits are the identities, at any depth. 250 x 250 pixels, no expressions."""

    name = "casia"
    cropped = False

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if all images are in folders of seven digits, else 0."""
        return 2 * all_images_match(root, _IMAGE.fullmatch)

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per image, sorted by path; images outside the identity folders are skipped.

        Raises:
            InputError: There is no image.
        """
        for image in sorted_images(self.root, "name the folder that CASIA-WebFace is in"):
            match = _IMAGE.fullmatch(image)
            if match:
                yield FaceRecord(image, identity=match[1])
            else:
                yield Skipped(image, 0, "it is not in an identity folder")
