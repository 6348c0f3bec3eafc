"""Images to predict on: files, folders, glob patterns, lists on stdin, videos, and images in memory."""

import glob
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TextIO

from facedis.datasets.formats.walk import iter_images
from facedis.errors import FacedisError
from facedis.faces.io.images import DecodedImage
from facedis.faces.io.prefetch_decode import prefetch_decoded
from facedis.faces.io.video import VIDEO_SUFFIXES, read_frames
from facedis.tasks.encoding.image_codes import ImageLike, decoded_images, image_names

#: Stands for a list of paths on stdin.
STDIN = "-"
_WORKERS = 2


@dataclass(frozen=True, slots=True)
class InputImage:
    """An image or a frame of a video.

    Attributes:
        path: The path as given by the user.
        relative_path: The path below the folder that was given; the file name if the file itself was given.
        decoded: The pixels, or the reason why there are none.
        frame: Index of the frame in a video.
        seconds: Time of the frame in a video, if the file has it.
    """

    path: str
    relative_path: str
    decoded: DecodedImage
    frame: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A path that was given or found; `problem` is set if there is nothing to read."""

    path: str
    relative_path: str
    problem: str = ""

    @property
    def kind(self) -> str:
        return "problem" if self.problem else "video" if Path(self.path).suffix.lower() in VIDEO_SUFFIXES else "image"


def read_inputs(
    paths: Iterable[str], frame_stride: int = 1, exclude: Path | None = None, stdin: TextIO | None = None
) -> Iterator[InputImage]:
    """Every image that `paths` name, in order; only a few are in memory at a time.

    Args:
        paths: Images, videos, folders (all images below), glob patterns such as "*.jpg", and `STDIN` for a list of
            such paths, one per line.
        frame_stride: Step between the frames of a video.
        exclude: A folder that is not searched.
        stdin: Source of the list; standard input by default.
    """
    for kind, entries in groupby(_expand(paths, exclude, stdin or sys.stdin), lambda entry: entry.kind):
        if kind == "image":
            yield from _read_images(entries)
        else:
            for entry in entries:
                yield from _read_video(entry, frame_stride) if kind == "video" else [_unreadable(entry, entry.problem)]


def list_inputs(images: Sequence[ImageLike]) -> Iterator[InputImage]:
    """`images`, files or images in memory, as inputs."""
    for name, decoded in zip(image_names(images), decoded_images(images), strict=True):
        yield InputImage(name, Path(name).name, decoded)


def _expand(paths: Iterable[str], exclude: Path | None, stdin: TextIO) -> Iterator[_Entry]:
    for path in paths:
        if path == STDIN:
            lines = (line.rstrip("\r\n") for line in stdin)
            yield from _expand((line for line in lines if line.strip() and line != STDIN), exclude, stdin)
        elif os.path.isdir(path):
            yield from _expand_folder(path, exclude)
        elif glob.has_magic(path) and not os.path.lexists(path):
            matches = sorted(glob.iglob(path, recursive=True))
            yield from _expand(matches, exclude, stdin) if matches else [_Entry(path, path, "no file matches it")]
        else:
            yield _Entry(path, Path(path).name)


def _expand_folder(folder: str, exclude: Path | None) -> Iterator[_Entry]:
    found, excluded = False, None if exclude is None else exclude.resolve()
    for image in iter_images(Path(folder)):
        path = Path(folder, image)
        if excluded is None or excluded not in path.resolve().parents:
            found = True
            yield _Entry(str(path), image)
    if not found:
        yield _Entry(folder, folder, "the folder has no image")


def _read_images(entries: Iterable[_Entry]) -> Iterator[InputImage]:
    pending: deque[_Entry] = deque()

    def sources() -> Iterator[Path]:
        for entry in entries:
            pending.append(entry)
            yield Path(entry.path)

    for decoded in prefetch_decoded(sources(), _WORKERS):
        entry = pending.popleft()
        yield InputImage(entry.path, entry.relative_path, decoded)


def _read_video(entry: _Entry, frame_stride: int) -> Iterator[InputImage]:
    try:
        for frame, seconds, decoded in read_frames(Path(entry.path), frame_stride):
            yield InputImage(entry.path, entry.relative_path, decoded, frame, seconds)
    except FacedisError as error:  # the remaining inputs are still read
        yield _unreadable(entry, str(error))


def _unreadable(entry: _Entry, reason: str) -> InputImage:
    return InputImage(entry.path, entry.relative_path, DecodedImage(None, "unreadable", reason))
