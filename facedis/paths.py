"""Where facedis keeps what it makes or fetches once for every folder: the bundled faces, the weights."""

import os
import sys
from pathlib import Path


def cache_dir() -> Path:
    """The folder for files that any run may use again: FACEDIS_HOME, else the user's cache folder.

    Nothing is created here; everything in it can be deleted and is made or fetched again.
    """
    chosen = os.environ.get("FACEDIS_HOME")
    return Path(chosen).expanduser() if chosen else _cache_folder() / "facedis"


def _cache_folder() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
