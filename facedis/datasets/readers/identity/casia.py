"""CASIA-WebFace as photographs: a folder for each person, no expressions."""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.walk import first_images, iter_images
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError

_NAMED = re.compile(r"(?:.*/)?(\d{7})/\d{3,}\.\w+")


class Casia:
    """`0000045/001.jpg`: seven digits name the person, at any depth below the root. 250 x 250 pixels."""

    name = "casia"
    cropped = False

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 where images lie in folders of seven digits."""
        images = first_images(root)
        return 2 if images and all(_NAMED.fullmatch(image) for image in images) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record an image, sorted by path; one in no person's folder is skipped.

        Raises:
            InputError: There is no image.
        """
        found = False
        for image in sorted(iter_images(self.root)):
            found = True
            named = _NAMED.fullmatch(image)
            yield FaceRecord(image, identity=named[1]) if named else Skipped(image, 0, "it lies in no person's folder")
        if not found:
            raise InputError(f"{self.root} holds no image", "name the folder that CASIA-WebFace is in")
