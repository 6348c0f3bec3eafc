"""Read MXNet's RecordIO files, the usual format of face recognition sets, without MXNet.

A file is a sequence of parts. Each part has a magic number, a word with a continuation flag (upper 3
bits) and a length (lower 29), the bytes, and padding to a multiple of 4. A record whose bytes contain
the magic number is split there into several parts, and the number is left out. An image record starts
with a header of 24 bytes: flag, label, two ids; a positive flag is the number of labels that follow.
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
    """Return the labels, at least one, of the record at byte `offset`, without reading its image.

    Raises:
        ValueError: There is no complete record header.
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
    """Return the encoded image of the record at byte `offset` of `path`.

    Raises:
        ValueError: There is no complete image record.
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        file.seek(offset)
        payload = _read_payload(file)
    if len(payload) < _HEADER.size:
        raise ValueError("its header is broken")
    return payload[_HEADER.size + 4 * _HEADER.unpack_from(payload)[0] :]


def record_offsets(path: Path) -> Iterator[int]:
    """Yield the byte offset of each record, by walking through the file up to the first broken part."""
    offset, size, is_start = 0, path.stat().st_size, True
    with open(path, "rb") as file:
        while offset + _WORDS.size <= size:
            file.seek(offset)
            words = file.read(_WORDS.size)
            if words[:4] != _MAGIC:
                return
            if is_start:
                yield offset
            is_start = _continuation(words) in (_WHOLE, _LAST)
            offset += _WORDS.size + _padded(_length(words))


def _read_payload(file: BinaryIO) -> bytes:
    parts: list[bytes] = []
    while True:
        words = file.read(_WORDS.size)
        if len(words) < _WORDS.size or words[:4] != _MAGIC:
            raise ValueError("no record begins there")
        continuation, length = _continuation(words), _length(words)
        if continuation not in ((_MIDDLE, _LAST) if parts else (_WHOLE, _FIRST)):
            raise ValueError("a part of it is missing")
        part = file.read(_padded(length))
        if len(part) < length:
            raise ValueError("the file ends within it")
        parts.append(part[:length])
        if continuation in (_WHOLE, _LAST):
            return _MAGIC.join(parts)


def _continuation(words: bytes) -> int:
    return _WORDS.unpack_from(words)[1] >> 29


def _length(words: bytes) -> int:
    return _WORDS.unpack_from(words)[1] & 0x1FFFFFFF


def _padded(length: int) -> int:
    return (length + 3) // 4 * 4
