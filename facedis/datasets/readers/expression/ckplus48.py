"""CK+48: the last frames of CK+ as 48 x 48 grey faces in folders named after expressions."""

import re
from collections.abc import Iterator
from pathlib import Path

from facedis.datasets.formats.walk import first_images, iter_images
from facedis.datasets.readers.expression.ckplus import FOLDS, ckplus_classes, fold_splits
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import ConfigError, InputError
from facedis.taxonomy import ALIASES

_NAMED = re.compile(r"(S\d{3})_\d{3}_\d{8}\.\w+")


class CkPlus48:
    """`<expression>/S010_004_00000017.png`; the names of the files still tell the subjects.

    Args:
        root: The folder that holds those of the expressions.
        classes: 8, or 7 and 6 without contempt (there are no neutral faces).
        fold: As of `CkPlus`.
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
        """2 where all images are named as in CK+ and lie in folders of expressions."""
        images = [Path(image) for image in first_images(root)]
        named = all(_NAMED.fullmatch(image.name) and image.parent.name.lower() in ALIASES for image in images)
        return 2 if images and named else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record an image, sorted by path; one that is named otherwise is skipped.

        Raises:
            InputError: There is no image.
        """
        images = sorted(iter_images(self.root))
        if not images:
            raise InputError(f"{self.root} holds no image", "name the folder that CK+48 is in")
        subjects = {image: named[1] for image in images if (named := _NAMED.fullmatch(Path(image).name))}
        splits = fold_splits(set(subjects.values()), self.fold)
        for image in images:
            expression = ALIASES.get(Path(image).parent.name.lower(), "")
            subject = subjects.get(image, "")
            if not subject:
                yield Skipped(image, 0, "its name tells no subject")
            elif not expression:
                yield Skipped(image, 0, "it lies in no expression's folder")
            elif expression not in self.classes:
                yield Skipped(image, 0, f"{expression} is not one of the {len(self.classes)} classes asked for")
            else:
                yield FaceRecord(image, expression, subject, splits.get(subject, ""))
