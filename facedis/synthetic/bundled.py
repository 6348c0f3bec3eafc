"""The rendered faces that come with facedis: unpacked once, then used by every run."""

import shutil
import tempfile
import zipfile
from pathlib import Path

from facedis.errors import OutputError
from facedis.events import EventHandler, ignore_events, note
from facedis.paths import cache_dir

#: Raised when the pictures change: an older folder is then left alone and a new one made.
VERSION = 2
ARCHIVE = Path(__file__).with_name("bundled.zip")
#: What is in it: photographs of all splits, and one plain picture of everybody who tests (the truth for swaps).
FACES, GRID = "faces", "grid"


def unpack(handler: EventHandler = ignore_events, part: str = FACES) -> Path:
    """The folder of the bundled faces, unpacked below `cache_dir()` where it is not there yet.

    Whole or not there at all: it is unpacked under another name and then renamed, so that a process
    may be killed and two may run at once.

    Args:
        handler: Told where the faces go.
        part: `FACES` or `GRID`.

    Raises:
        OutputError: It cannot be written.
    """
    done = cache_dir() / f"rendered-faces-{VERSION}"
    if done.is_dir():
        return done / part
    note(handler, f"unpacking the bundled faces into {done}")
    try:
        done.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".rendered-", dir=done.parent, ignore_cleanup_errors=True) as place:
            draft = Path(place) / done.name
            with zipfile.ZipFile(ARCHIVE) as archive:
                archive.extractall(draft)
            _rename(draft, done)
    except OSError as error:
        raise OutputError(
            f"cannot write the bundled faces to {done}: {error.strerror or error}",
            "set FACEDIS_HOME to a folder that you may write to",
        ) from error
    return done / part


def _rename(draft: Path, done: Path) -> None:
    try:
        draft.rename(done)
    except OSError:
        if not done.is_dir():  # else another process was faster
            raise
        shutil.rmtree(draft, ignore_errors=True)
