"""LFW: photographs by identity, and verification pairs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from facedis.datasets.formats.tables import read_lines
from facedis.datasets.formats.walk import all_images_match, find_file, sorted_images
from facedis.datasets.record import FaceRecord, Skipped

_IMAGE = re.compile(r"(?:.*/)?(?P<identity>[^/]+)/(?P=identity)_\d{4}\.\w+")


class LfwPair(NamedTuple):
    """A verification pair.

    Attributes:
        fold: Fold of the list, from 0.
        first, second: Stems of the images, such as `Aaron_Eckhart_0001`.
        genuine: Whether both show the same identity.
    """

    fold: int
    first: str
    second: str
    genuine: bool


class Lfw:
    """`lfw/Aaron_Eckhart/Aaron_Eckhart_0001.jpg`, also the funneled versions; 250 x 250 pixels, no expressions."""

    name = "lfw"
    cropped = False

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 if the name of each image begins with that of its folder, else 0."""
        return 2 * all_images_match(root, _IMAGE.fullmatch)

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """Yield one record per image, sorted by path; images not named after their folder are skipped.

        Raises:
            InputError: There is no image.
        """
        for image in sorted_images(self.root, "name the folder that LFW is in"):
            match = _IMAGE.fullmatch(image)
            if match:
                yield FaceRecord(image, identity=match["identity"])
            else:
                yield Skipped(image, 0, "it is not named after its folder")

    def pairs(self) -> Iterator[LfwPair | Skipped]:
        """Yield the pairs of `pairs.txt`, fold by fold; nothing where the file is missing."""
        path = find_file(self.root, "pairs.txt")
        for _, pair in read_lfw_pairs(self.root / path, path) if path else ():
            yield pair


def read_lfw_pairs(path: Path, name: str) -> Iterator[tuple[int, LfwPair | Skipped]]:
    """Yield (line, pair) for each line of a list in LFW's format; bad lines are skipped under the file name `name`."""
    fold_size, count = 0, 0
    for line, _, text in read_lines(path):
        words = (text or "").split()
        if line == 1 and len(words) in (1, 2) and words[-1].isdecimal():
            fold_size = 2 * int(words[-1])
        elif len(words) in (3, 4) and all(word.isdecimal() for word in (words[1], words[-1])):
            genuine = len(words) == 3
            first = f"{words[0]}_{int(words[1]):04}"
            second = f"{words[0] if genuine else words[2]}_{int(words[-1]):04}"
            yield line, LfwPair(count // fold_size if fold_size else 0, first, second, genuine)
            count += 1
        elif words or text is None:
            yield line, Skipped(name, line, "it is not a pair of images")
