"""What a user names to be looked at, one picture after the other: files, folders, patterns, lists, videos."""

import glob
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TextIO

from facedis.datasets.formats.walk import iter_images
from facedis.errors import FacedisError
from facedis.faces.io.images import DecodedImage
from facedis.faces.io.prefetch_decode import prefetch_decoded
from facedis.faces.io.video import VIDEO_SUFFIXES, read_frames

#: The word for a list of paths on the standard input.
STDIN = "-"
_WORKERS = 2


@dataclass(frozen=True, slots=True)
class InputImage:
    """One image or one frame of a video, decoded, or the reason why not.

    Attributes:
        file: Its path, as the user would write it.
        below: Its path below the folder that was named; its name where it was named itself.
        image: The pixels.
        frame: Number of the frame in a video, from 0.
        seconds: When it is shown in the video, where the file tells.
    """

    file: str
    below: str
    image: DecodedImage
    frame: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """A path that was named or found; a `problem` where there is nothing behind it."""

    file: str
    below: str
    problem: str = ""

    @property
    def kind(self) -> str:
        return "problem" if self.problem else "video" if Path(self.file).suffix.lower() in VIDEO_SUFFIXES else "image"


def pictures(
    words: Iterable[str], every: int = 1, leave_out: Path | None = None, stdin: TextIO | None = None
) -> Iterator[InputImage]:
    """Every picture that `words` name, in their order; a few of them are in memory at a time.

    Args:
        words: Paths of images and videos, folders (all images below), patterns such as "*.jpg", and
            `STDIN`, which stands for a list of such words, one on each line.
        every: Step between frames of a video.
        leave_out: A folder that folders are not searched in.
        stdin: Where the list is read from; the standard input by default.
    """
    for kind, places in groupby(_places(words, leave_out, stdin or sys.stdin), lambda place: place.kind):
        if kind == "image":
            yield from _images(places)
        else:
            for place in places:
                yield from _frames(place, every) if kind == "video" else [_broken(place, place.problem)]


def _places(words: Iterable[str], leave_out: Path | None, stdin: TextIO) -> Iterator[_Place]:
    for word in words:
        if word == STDIN:
            lines = (line.rstrip("\r\n") for line in stdin)
            yield from _places((line for line in lines if line.strip() and line != STDIN), leave_out, stdin)
        elif os.path.isdir(word):
            yield from _below(word, leave_out)
        elif glob.has_magic(word) and not os.path.lexists(word):
            matches = sorted(glob.iglob(word, recursive=True))
            yield from _places(matches, leave_out, stdin) if matches else [_Place(word, word, "no file matches it")]
        else:
            yield _Place(word, Path(word).name)


def _below(folder: str, leave_out: Path | None) -> Iterator[_Place]:
    found, kept_out = False, None if leave_out is None else leave_out.resolve()
    for image in iter_images(Path(folder)):
        path = Path(folder, image)
        if kept_out is None or kept_out not in path.resolve().parents:
            found = True
            yield _Place(str(path), image)
    if not found:
        yield _Place(folder, folder, "the folder holds no image")


def _images(places: Iterable[_Place]) -> Iterator[InputImage]:
    waiting: deque[_Place] = deque()

    def sources() -> Iterator[Path]:
        for place in places:
            waiting.append(place)
            yield Path(place.file)

    for image in prefetch_decoded(sources(), _WORKERS):
        place = waiting.popleft()
        yield InputImage(place.file, place.below, image)


def _frames(place: _Place, every: int) -> Iterator[InputImage]:
    try:
        for number, seconds, image in read_frames(Path(place.file), every):
            yield InputImage(place.file, place.below, image, number, seconds)
    except FacedisError as error:  # the others go on
        yield _broken(place, str(error))


def _broken(place: _Place, why: str) -> InputImage:
    return InputImage(place.file, place.below, DecodedImage(None, "unreadable", why))
