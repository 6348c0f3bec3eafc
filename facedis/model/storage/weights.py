"""Pretrained weights of trunks: download, verification and loading.

There are no published hashes of the facenet-pytorch files. Such a file is trusted on first use: its SHA-256
is stored beside it and every later use must match. This detects a file that is damaged or replaced later,
not one that was wrong from the start. torchvision publishes the first eight digits of the SHA-256 in the
file name.
"""

import hashlib
import os
import pickle
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from facedis import __version__
from facedis.atomic_io import atomic_write, write_text
from facedis.errors import WeightsError
from facedis.events import EventHandler, ignore_events, track
from facedis.paths import cache_dir

_CHUNK = 1 << 20
_TIMEOUT = 30  # seconds without data


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights that can be downloaded.

    Attributes:
        name: The name for `--weights`.
        url: Where the file is published.
        sha256: Its hash in hex, or the first digits of it; None if none is published.
    """

    name: str
    url: str
    sha256: str | None = None

    @property
    def file(self) -> str:
        """The file name."""
        return Path(urlsplit(self.url).path).name


_FACENET = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
VGGFACE2 = Weights("vggface2", _FACENET + "20180402-114759-vggface2.pt")
CASIA_WEBFACE = Weights("casia-webface", _FACENET + "20180408-102900-casia-webface.pt")


def fetch(weights: Weights, offline: bool = False, handler: EventHandler = ignore_events) -> Path:
    """Path of a file of weights; downloads it if needed.

    The file is searched in `cache_dir()`/weights, then in the caches of torch and facenet-pytorch. A download
    gets its name only when it is complete and verified. The environment variable FACEDIS_WEIGHTS_URL
    sets another base URL; FACEDIS_OFFLINE=1 has the same effect as `offline`.

    Raises:
        WeightsError: The weights are not available, or the file fails verification.
        OutputError: `cache_dir()` cannot be written.
    """
    target = cache_dir() / "weights" / weights.file
    for found in (target, *(folder / weights.file for folder in _torch_folders())):
        if found.is_file():
            _verify(found, _digest(found), weights, target)
            return found
    if offline or os.environ.get("FACEDIS_OFFLINE", "") not in ("", "0"):
        raise _unavailable(weights, target, "not on this machine, and downloading is off")
    with atomic_write(target) as temporary:
        digest = _download(weights, target, temporary, handler)
        if weights.sha256 is None:
            _verify_format(temporary, weights, target)
        _verify(target, digest, weights, target)
    return target


def load_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of weights, by name: safetensors by its suffix, else torch's format.

    A torch file is loaded without executing code from it.

    Raises:
        WeightsError: The file is missing or has no named tensors.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}", _NAME_A_FILE) from error
    except (SafetensorError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        raise WeightsError(f"{path} is not a file of weights", _NAME_A_FILE) from error
    if isinstance(state, dict) and state and all(isinstance(value, Tensor) for value in state.values()):
        return state
    raise WeightsError(f"{path} does not contain named tensors", _NAME_A_FILE)


_NAME_A_FILE = "name a state_dict saved by torch.save, or a .safetensors file"


def _torch_folders() -> Iterator[Path]:
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    torch_home = Path(os.environ.get("TORCH_HOME") or Path(cache) / "torch").expanduser()
    yield torch_home / "checkpoints"  # facenet-pytorch
    yield torch_home / "hub" / "checkpoints"  # torch.hub, torchvision


def _download(weights: Weights, target: Path, temporary: Path, handler: EventHandler) -> str:
    """Download the file to `temporary` and return its SHA-256."""
    mirror = os.environ.get("FACEDIS_WEIGHTS_URL")
    url = f"{mirror.rstrip('/')}/{weights.file}" if mirror else weights.url
    digest, done = hashlib.sha256(), 0
    with closing(_open(url, weights, target)) as response, temporary.open("wb") as file:
        total = int(response.headers.get("Content-Length") or 0)
        with track(handler, f"downloading {weights.name}", total) as progress:
            while chunk := _read(response, weights, target):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                progress.advance(len(chunk))
    if total and done != total:
        raise _unavailable(weights, target, f"the download stopped after {done:,} of {total:,} bytes")
    return digest.hexdigest()


def _open(url: str, weights: Weights, target: Path) -> HTTPResponse:
    try:
        return urlopen(Request(url, headers={"User-Agent": f"facedis/{__version__}"}), timeout=_TIMEOUT)
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        status = f"{error.code} " if hasattr(error, "code") else ""
        raise _unavailable(weights, target, f"cannot open {url}: {status}{_short(reason)}") from error


def _read(response: HTTPResponse, weights: Weights, target: Path) -> bytes:
    try:
        return response.read(_CHUNK)
    except (OSError, HTTPException) as error:
        raise _unavailable(weights, target, f"the download failed: {_short(error)}") from error


def _verify_format(file: Path, weights: Weights, target: Path) -> None:
    """Reject a download without weights, such as the login page of a network."""
    try:
        load_state(file)
    except WeightsError as error:
        raise _unavailable(weights, target, "the download is not a file of weights") from error


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}", "make it readable or delete it") from error
    return digest.hexdigest()


def _verify(path: Path, digest: str, weights: Weights, target: Path) -> None:
    """Compare with the published hash, else with the stored one; store it where there is neither."""
    note = target.with_name(target.name + ".sha256")
    if weights.sha256 is None and not note.is_file():
        write_text(note, f"{digest}  {target.name}\n")
        return
    expected = weights.sha256 or note.read_text(encoding="utf-8").partition(" ")[0].strip()
    if not expected or not digest.startswith(expected):
        also = "" if weights.sha256 else f" (and {note.name} beside it, if you replaced it on purpose)"
        raise WeightsError(
            f"{path} is not the file of {weights.name}: its SHA-256 is {digest[:12]}..., not {expected[:12]}...",
            f"delete it{also} and run again to download it, or pass --weights PATH",
        )


def _unavailable(weights: Weights, target: Path, why: str) -> WeightsError:
    return WeightsError(
        f"the {weights.name} weights are not available ({why})",
        f"download {weights.url} manually to {target} (or pass --weights PATH), "
        "or train from random weights with --weights none (less accurate), "
        "or use a smaller trunk: --preset small",
    )


def _short(error: object) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
