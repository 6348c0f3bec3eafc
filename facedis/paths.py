"""Location of shared files: the unpacked bundled faces and downloaded weights."""

import os
import sys
from pathlib import Path


def cache_dir() -> Path:
    """Return the cache folder: FACEDIS_HOME, or "facedis" in the cache folder of the user.

    The folder is not created. Its contents can be deleted; they are created again when needed.
    """
    chosen = os.environ.get("FACEDIS_HOME")
    return Path(chosen).expanduser() if chosen else _cache_folder() / "facedis"


def _cache_folder() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
