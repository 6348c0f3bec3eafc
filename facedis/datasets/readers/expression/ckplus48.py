"""CK+48: the last frames of CK+ as 48 x 48 grey faces in class folders."""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.walk import all_images_match, sorted_images
from facedis.datasets.readers.expression.ckplus import FOLDS, ckplus_classes, fold_splits
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import ConfigError
from facedis.taxonomy import ALIASES

_IMAGE = re.compile(r"(S\d{3})_\d{3}_\d{8}\.\w+")


class CkPlus48:
    """`<expression>/S010_004_00000017.png`; the file names give the subjects.

    Args:
        root: The folder of the class folders.
        classes: 8, or 7 or 6 without contempt (there are no neutral faces).
        fold: As in `CkPlus`.
    """

    name = "ckplus48"
    cropped = True

    def __init__(self, root: Path, classes: int = 8, fold: int = -1) -> None:
        self.root = root
        self.fold = fold
        self.classes = ckplus_classes(classes)
        if not -1 <= fold < FOLDS:
            raise ConfigError(f"the reader ckplus48 has fold={fold}", "choose a fold from 0 to 9")

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if all images have CK+'s names and are in expression folders, else 0."""
        return 2 * all_images_match(root, lambda image: _subject(image) and _expression(image))

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per image, sorted by path; images with other names are skipped.

        Raises:
            InputError: There is no image.
        """
        images = sorted_images(self.root, "name the folder that CK+48 is in")
        splits = fold_splits({_subject(image) for image in images} - {""}, self.fold)
        for image in images:
            subject, expression = _subject(image), _expression(image)
            if not subject:
                yield Skipped(image, 0, "its name gives no subject")
            elif not expression:
                yield Skipped(image, 0, "it is not in an expression folder")
            elif expression not in self.classes:
                yield Skipped(image, 0, f"{expression} is not one of the {len(self.classes)} classes")
            else:
                yield FaceRecord(image, expression, subject, splits.get(subject, ""))


def _subject(image: str) -> str:
    match = _IMAGE.fullmatch(Path(image).name)
    return match[1] if match else ""


def _expression(image: str) -> str:
    return ALIASES.get(Path(image).parent.name.lower(), "")
