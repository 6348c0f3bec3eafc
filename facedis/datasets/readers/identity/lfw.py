"""LFW: photographs of people by name, and pairs of them to tell apart; no expressions."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from facedis.datasets.formats.tables import read_lines
from facedis.datasets.formats.walk import find_file, first_images, iter_images
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError

_NAMED = re.compile(r"(?:.*/)?(?P<folder>[^/]+)/(?P<name>.+)_\d{4}\.\w+")


class LfwPair(NamedTuple):
    """Two photographs named as person and number, and whether they show one person."""

    fold: int
    first: str
    second: str
    genuine: bool


class Lfw:
    """`lfw/Aaron_Eckhart/Aaron_Eckhart_0001.jpg`, also funneled copies; 250 x 250 pixels."""

    name = "lfw"
    cropped = False

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def match_score(cls, root: Path) -> int:
        """2 where images bear the name of the folder they lie in."""
        images = first_images(root)
        return 2 if images and all(_person(image) for image in images) else 0

    def records(self) -> Iterator[FaceRecord | Skipped]:
        """One record an image, sorted by path; one that does not bear its folder's name is skipped.

        Raises:
            InputError: There is no image.
        """
        found = False
        for image in sorted(iter_images(self.root)):
            found, person = True, _person(image)
            yield FaceRecord(image, identity=person) if person else Skipped(image, 0, "its name is not its folder's")
        if not found:
            raise InputError(f"{self.root} holds no image", "name the folder that LFW is in")

    def pairs(self) -> Iterator[LfwPair | Skipped]:
        """The pairs of `pairs.txt`, fold by fold; nothing where there is no such file."""
        path = find_file(self.root, {"pairs.txt"})
        for _, pair in read_lfw_pairs(self.root / path, path) if path else ():
            yield pair


def read_lfw_pairs(path: Path, name: str) -> Iterator[tuple[int, LfwPair | Skipped]]:
    """The pairs of the list at `path`, each with its line; a line that is none is skipped under `name`."""
    size, place = 0, 0
    for line, _, text in read_lines(path):
        words = (text or "").split()
        if line == 1 and len(words) in (1, 2) and words[-1].isdecimal():
            size = 2 * int(words[-1])
        elif len(words) in (3, 4) and all(word.isdecimal() for word in (words[1], words[-1])):
            names = words[0], words[-2] if len(words) == 4 else words[0]
            shown = [f"{who}_{int(number):04}" for who, number in zip(names, (words[1], words[-1]), strict=True)]
            yield line, LfwPair(place // size if size else 0, *shown, genuine=len(words) == 3)
            place += 1
        elif words or text is None:
            yield line, Skipped(name, line, "it is no pair of photographs")


def _person(image: str) -> str:
    named = _NAMED.fullmatch(image)
    return named["name"] if named and named["name"] == named["folder"] else ""
