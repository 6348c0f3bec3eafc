"""A dataset reader for images with names like `anna-happy-1.jpg`.

A reader yields a `FaceRecord` per usable image and a `Skipped` per unusable one, without opening the
images. See `facedis.datasets.record.Reader`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.record import IMAGE_SUFFIXES, FaceRecord, Skipped
from facedis.errors import InputError
from facedis.taxonomy import ALIASES

_NAME = re.compile(r"(?P<identity>[^-]+)-(?P<expression>[^-]+)-\d+")


class FileNames:
    """Images in one folder, named identity-expression-number."""

    name = "file-names"
    cropped = False

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if all images in the folder have such names, else 0."""
        names = [_NAME.fullmatch(image.stem) for image in _images(root)]
        return 2 if names and all(name and name["expression"].lower() in ALIASES for name in names) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per image, sorted by name; images with other names are skipped.

        Raises:
            InputError: There is no image.
        """
        images = _images(self.root)
        if not images:
            raise InputError(f"{self.root} holds no image", "name a folder of photographs")
        for image in images:
            name = _NAME.fullmatch(image.stem)
            if name is None or name["expression"].lower() not in ALIASES:
                yield Skipped(image.name, 0, "it is not named like anna-happy-1.jpg")
            else:
                yield FaceRecord(image.name, ALIASES[name["expression"].lower()], name["identity"])


def _images(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
