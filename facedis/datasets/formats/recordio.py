"""The RecordIO files of MXNet, in which face recognition sets are shared, read without MXNet.

A file is a row of parts: a magic number, a word with how the part continues (upper 3 bits) and its
length (lower 29), the bytes, padding to a multiple of 4. A record whose bytes contain the magic
number is cut there into several parts, and the number left out. An image record begins with a header
of 24 bytes: flag, label, two ids; where the flag is positive that many labels follow.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_MAGIC = struct.pack("<I", 0xCED7230A)
_WORDS = struct.Struct("<4sI")
_HEADER = struct.Struct("<IfQQ")
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


def read_labels(file: BinaryIO, offset: int) -> tuple[float, ...]:
    """The labels, at least one, of the record that begins at byte `offset`; of the rest nothing is read.

    Raises:
        ValueError: No image record begins there.
        OSError: The file cannot be read.
    """
    file.seek(offset)
    words = file.read(_WORDS.size + _HEADER.size)
    if len(words) < _WORDS.size + _HEADER.size or words[:4] != _MAGIC:
        raise ValueError("no record begins there")
    flag, label = _HEADER.unpack_from(words, _WORDS.size)[:2]
    if not flag:
        return (label,)
    if 4 * flag > _length(words):
        raise ValueError("its header is broken")
    labels = file.read(4 * flag)
    if len(labels) < 4 * flag:
        raise ValueError("the file ends within it")
    return struct.unpack(f"<{flag}f", labels)


def read_image(path: Path, offset: int) -> bytes:
    """The bytes of the image in the record that begins at byte `offset` of `path`.

    Raises:
        ValueError: There is no whole image record.
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        file.seek(offset)
        payload = _payload(file)
    if len(payload) < _HEADER.size:
        raise ValueError("its header is broken")
    return payload[_HEADER.size + 4 * _HEADER.unpack_from(payload)[0] :]


def record_offsets(path: Path) -> Iterator[int]:
    """Where each record of the file begins, found by walking through it; stops at the first broken part."""
    place, size, begins = 0, path.stat().st_size, True
    with open(path, "rb") as file:
        while place + _WORDS.size <= size:
            file.seek(place)
            words = file.read(_WORDS.size)
            if words[:4] != _MAGIC:
                return
            if begins:
                yield place
            begins = _continued(words) in (_WHOLE, _LAST)
            place += _WORDS.size + _padded(_length(words))


def _payload(file: BinaryIO) -> bytes:
    parts = []
    while True:
        words = file.read(_WORDS.size)
        if len(words) < _WORDS.size or words[:4] != _MAGIC:
            raise ValueError("no record begins there")
        continued, length = _continued(words), _length(words)
        if continued not in ((_MIDDLE, _LAST) if parts else (_WHOLE, _FIRST)):
            raise ValueError("a part of it is missing")
        part = file.read(_padded(length))
        if len(part) < length:
            raise ValueError("the file ends within it")
        parts.append(part[:length])
        if continued in (_WHOLE, _LAST):
            return _MAGIC.join(parts)


def _continued(words: bytes) -> int:
    return _WORDS.unpack_from(words)[1] >> 29


def _length(words: bytes) -> int:
    return _WORDS.unpack_from(words)[1] & 0x1FFFFFFF


def _padded(length: int) -> int:
    return (length + 3) // 4 * 4
