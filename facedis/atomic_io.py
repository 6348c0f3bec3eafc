"""Atomic writing of files."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facedis.errors import OutputError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces `path` when the block succeeds.

    If the block raises, `path` is unchanged and the temporary file is deleted.

    Raises:
        OutputError: The folder cannot be created or written.
    """
    path = Path(path)
    # The suffix is kept because Pillow and matplotlib infer the format from it.
    # The token keeps threads, and computers that share the folder, apart.
    temporary = path.with_name(f".{path.stem}.{os.getpid()}-{secrets.token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())  # some libraries create files that only the owner may read
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}", "choose a folder that you may write to"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)  # reading the umask requires setting it
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, in UTF-8.

    Bytes of a file name that is not UTF-8 are written as `\\udce9`, as in JSON.
    """
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def refuse_unwritable(folder: Path) -> None:
    """Check before a long computation that results can be written to `folder`.

    Raises:
        OutputError: `folder` is not a folder, or cannot be created or written.
    """
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise OutputError(f"cannot write results to {folder}", "choose another -o folder")
