"""The bundled set of rendered faces."""

import shutil
import tempfile
import zipfile
from pathlib import Path

from facedis.errors import OutputError
from facedis.events import EventHandler, ignore_events, note
from facedis.paths import cache_dir

#: Version of the images, part of the name of the unpacked folder.
VERSION = 2
ARCHIVE = Path(__file__).with_name("bundled.zip")
#: Folders of the archive: images of all splits, and a grid of the test identities (ground truth for swaps).
FACES, GRID = "faces", "grid"


def unpack(handler: EventHandler = ignore_events, part: str = FACES) -> Path:
    """Return the folder of the bundled faces, and unpack it into `cache_dir()` if it does not exist.

    The archive is unpacked into a temporary folder and renamed, so an interrupted process leaves no
    partial folder, and several processes may unpack at the same time.

    Args:
        handler: Receives a note before the archive is unpacked.
        part: `FACES` or `GRID`.

    Raises:
        OutputError: The folder cannot be written.
    """
    done = cache_dir() / f"rendered-faces-{VERSION}"
    if done.is_dir():
        return done / part
    note(handler, f"unpacking the bundled faces into {done}")
    try:
        done.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".rendered-", dir=done.parent, ignore_cleanup_errors=True) as temporary:
            draft = Path(temporary) / done.name
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
        if not done.is_dir():  # else another process has unpacked it
            raise
        shutil.rmtree(draft, ignore_errors=True)
