"""Read the single element of a small .npy file, without numpy and without unpickling."""

import ast
import pickletools
import struct
from pathlib import Path

_MAGIC = b"\x93NUMPY"
_INTEGERS = {"b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q"}
_FORMATS = {**_INTEGERS, "f4": "f", "f8": "d", "f2": "e"}


def read_scalar(path: Path) -> str:
    """Return the only element of the array in `path`, as text.

    Raises:
        ValueError: The file is not a .npy file, or its array has more than one element.
        OSError: The file cannot be read.
    """
    content = path.read_bytes()
    if content[:6] != _MAGIC:
        raise ValueError("it is not a .npy file")
    try:
        wide = content[6] > 1
        start = 12 if wide else 10
        length = struct.unpack_from("<I" if wide else "<H", content, 8)[0]
        text = content[start : start + length].decode("latin-1").strip()
        if "\0" in text:  # Python 3.10 raises a ValueError with another message for it
            raise SyntaxError("null byte in the header")
        header = ast.literal_eval(text)
        dtype, shape, data = header["descr"], header["shape"], content[start + length :]
        if any(side != 1 for side in shape):
            raise ValueError(f"it holds an array of shape {shape}")
        return _parse_element(dtype, data)
    except (struct.error, KeyError, IndexError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError("it is a broken .npy file") from error


def _parse_element(dtype: str, data: bytes) -> str:
    order, code = (">" if dtype[0] == ">" else "<"), dtype.lstrip("<>|=")
    if code == "O":
        return _parse_pickle(data)
    if code[0] == "U":
        return data[: 4 * int(code[1:])].decode("utf-32-be" if order == ">" else "utf-32-le").rstrip("\0")
    if code[0] == "S":
        return data[: int(code[1:])].decode("ascii").rstrip("\0")
    if code not in _FORMATS:
        raise ValueError(f"it holds elements of type {dtype}")
    return str(struct.unpack_from(order + _FORMATS[code], data)[0])


def _parse_pickle(data: bytes) -> str:
    """The text or number in a pickled array of one object: the argument before the first APPEND."""
    last = None
    for operation, argument, _ in pickletools.genops(data):
        if operation.name == "APPEND" and last is not None:
            return str(last)
        if isinstance(argument, (int, float, str)) and "PUT" not in operation.name and "GET" not in operation.name:
            last = argument
    raise ValueError("it holds an object that is neither text nor a number")
