"""Format of the faces cache: HDF5 attributes, columns and their values."""

import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from facedis import __version__
from facedis.errors import CacheError

FORMAT = "facedis-faces"
VERSION = 1
SPLITS = ("", "train", "val", "test")
STATUSES = (
    "pending",
    "ok",
    "several",  # several faces were detected and one was selected
    "whole",  # no face was detected and the full image is used
    "no_face",
    "unreadable",
    "too_small",
    "too_large",
    "missing",
)
#: Statuses of rows that have a face.
USABLE = ("ok", "several", "whole")
REMAKE_HINT = "make it again with `facedis align --overwrite`"


@dataclass(frozen=True, kw_only=True)
class CacheInfo:
    """The HDF5 attributes of a cache.

    Attributes:
        classes: Expression names; a label is an index into them.
        size: Side of a face in pixels.
        crop: "box", "similarity" or "none".
        margin: As `AlignConfig.margin`.
        detector: Name of the detector; "none" if no detector was used.
        dataset: Name of the reader.
        source: Folder of the images.
        fingerprint: Hash of the records and of the settings that affect a row.
        settings: The resolved `AlignConfig` as JSON.
        facedis: Version of the package that made the cache.
        factors: Names of the columns of "factor"; empty if the dataset has no known factors.
    """

    classes: tuple[str, ...]
    size: int
    crop: str
    margin: float
    detector: str
    dataset: str
    source: str
    fingerprint: str
    settings: str
    facedis: str = __version__
    factors: tuple[str, ...] = ()


def partial_path(output: Path) -> Path:
    """Return the path of the unfinished cache of `output`."""
    return output.with_name(output.name + ".partial")


def checksums(faces: np.ndarray) -> np.ndarray:
    """Return the (n,) uint32 CRC-32 of the pixels of each of (n, S, S, 3) uint8 faces."""
    return np.array([zlib.crc32(face.tobytes()) for face in faces], np.uint32)


def read_info(path: Path) -> CacheInfo:
    """Read the `CacheInfo` of a finished or unfinished cache.

    Raises:
        CacheError: The file is not a faces cache of this version.
    """
    try:
        with h5py.File(path, "r") as file:
            check_version(path, file)
            return read_attributes(file)
    except (OSError, KeyError) as error:
        raise CacheError(f"{path} is not a readable faces cache: {system_message(error)}", REMAKE_HINT) from error


def refuse_pending(path: Path) -> None:
    """Check that every row of a finished cache is done.

    Raises:
        CacheError: A row is pending, or the file is not a readable cache.
    """
    try:
        with h5py.File(path, "r") as file:
            pending = int((file["status"][:] == STATUSES.index("pending")).sum())
    except (OSError, KeyError) as error:
        raise CacheError(f"{path} is not a readable faces cache: {system_message(error)}", REMAKE_HINT) from error
    if pending:
        raise CacheError(f"{path} is damaged: {pending:,} of its rows are pending", REMAKE_HINT)


def write_attributes(file: h5py.File, info: CacheInfo) -> None:
    """Write `info` as attributes of `file`."""
    file.attrs["format"] = FORMAT
    file.attrs["version"] = VERSION
    for name, value in vars(info).items():
        if value != ():  # HDF5 does not support empty lists
            file.attrs[name] = list(value) if isinstance(value, tuple) else value


def read_attributes(file: h5py.File) -> CacheInfo:
    """Read the attributes that `write_attributes` writes."""
    values = {name: file.attrs[name] for name in CacheInfo.__dataclass_fields__ if name != "factors"}
    values["classes"] = tuple(str(name) for name in values["classes"])
    values["factors"] = tuple(str(name) for name in file.attrs.get("factors", ()))
    values["size"], values["margin"] = int(values["size"]), float(values["margin"])
    return CacheInfo(**values)


def check_version(path: Path, file: h5py.File) -> None:
    """Check the format of an open cache.

    Raises:
        CacheError: It is not a faces cache, or one of another version.
    """
    if file.attrs.get("format") != FORMAT:
        raise CacheError(f"{path} is an HDF5 file but not a faces cache", "make one with `facedis align`")
    if file.attrs["version"] != VERSION:
        raise CacheError(
            f"{path} is a faces cache of version {file.attrs['version']}, this facedis reads version {VERSION}",
            REMAKE_HINT,
        )


def system_message(error: BaseException) -> str:
    """Return the operating system's message of an error, without the text that HDF5 adds."""
    message = re.search(r"error message = '([^']+)'", str(error))
    return message[1] if message else getattr(error, "strerror", None) or str(error).split("\n")[0]
