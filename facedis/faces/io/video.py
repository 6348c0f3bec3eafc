"""The frames of a video as images."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from facedis.errors import InputError, MissingExtra
from facedis.faces.io.images import DecodedImage, load_from_memory

VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm", ".mpg", ".mpeg"})


def read_frames(path: Path, stride: int = 1) -> Iterator[tuple[int, float | None, DecodedImage]]:
    """Yield every `stride`-th frame of a video, starting with the first.

    Args:
        path: Video file.
        stride: Distance between consecutive frames.

    Yields:
        The frame number from 0, its time in seconds (None if unknown), and the upright image.

    Raises:
        MissingExtra: PyAV is not installed.
        InputError: The file is missing, not a video, or truncated; the frames before the error are yielded.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtra("reading a video", "video") from error
    if not path.is_file():
        raise InputError("there is no such file")
    number = -1
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError("it contains no video stream")
            for number, frame in enumerate(container.decode(video=0)):
                if number % stride == 0:
                    quarters = round(getattr(frame, "rotation", 0) / 90)  # counterclockwise, as `rot90` turns
                    pixels = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), quarters))
                    yield number, frame.time, load_from_memory(pixels)
    except (av.FFmpegError, OSError) as error:
        problem = "it is not a video that can be read" if number < 0 else f"it is truncated after frame {number}"
        raise InputError(f"{problem}: {getattr(error, 'strerror', None) or error}") from error
    if number < 0:
        raise InputError("it contains no frame")
