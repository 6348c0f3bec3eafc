"""Images whose names tell who shows what: `anna-happy-1.jpg`.

A reader gives `FaceRecord`s and opens no image; see `facedis.datasets.record.Reader`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.record import IMAGE_SUFFIXES, FaceRecord
from facedis.errors import InputError
from facedis.taxonomy import ALIASES, expression_named

_NAME = re.compile(r"(?P<identity>[^-]+)-(?P<expression>[^-]+)-\d+")


class FileNames:
    """Images in one folder, named identity-expression-number."""

    name = "file-names"
    cropped = False

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def recognises(cls, root: Path) -> int:
        """2 where every image in the folder is named that way, else 0."""
        names = [_NAME.fullmatch(image.stem) for image in _images(root)]
        return 2 if names and all(name and name["expression"].lower() in ALIASES for name in names) else 0

    def records(self) -> Iterator[FaceRecord]:
        """One record an image, sorted by name.

        Raises:
            InputError: There is no image, or one is named otherwise.
        """
        images = _images(self.root)
        if not images:
            raise InputError(f"{self.root} holds no image", "name a folder of photographs")
        for image in images:
            name = _NAME.fullmatch(image.stem)
            if name is None:
                raise InputError(f"{image} is not named like anna-happy-1.jpg", "rename it")
            yield FaceRecord(image.name, expression_named(name["expression"], str(image)), name["identity"])


def _images(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
