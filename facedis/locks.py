"""Locks that keep two processes from writing the same output.

The lock is on a file of its own, which is deleted when the lock is released. The operating system
releases the lock of a killed process; the file that such a process leaves has no effect.
"""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facedis.errors import OutputError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

#: Name of the lock file in a folder that is an output.
FOLDER_LOCK = ".lock"
#: Seconds between two attempts.
_INTERVAL = 0.05
#: Seconds before a lock counts as held; longer than `is_locked` needs.
_PATIENCE = 0.2
#: Errors of file systems without locks, where the output is written without one.
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


@contextmanager
def exclusive_lock(path: Path, timeout: float = _PATIENCE) -> Iterator[None]:
    """Hold the lock of the output `path`, a file or a folder that is replaced as a whole.

    Args:
        path: The output; it may be missing. The lock file is next to it.
        timeout: Seconds to wait for another process.

    Raises:
        OutputError: Another process holds the lock, or the lock file cannot be written.
    """
    path = Path(path)
    with _held(path.absolute().with_name(f".{path.absolute().name}.lock"), path, timeout):
        yield


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of an output folder, which is created if it is missing. The lock file is in the folder.

    Raises:
        OutputError: Another process holds the lock, or the folder cannot be written.
    """
    with _held(Path(folder).absolute() / FOLDER_LOCK, Path(folder), _PATIENCE):
        yield


def is_locked(folder: Path) -> bool:
    """Whether another process holds the lock of an output folder."""
    try:
        descriptor = os.open(folder / FOLDER_LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _held(lock: Path, output: Path, timeout: float) -> Iterator[None]:
    try:
        descriptor = _acquire(lock, time.monotonic() + timeout)
    except OSError as error:
        hint = "make its folder writable, or choose another output"
        raise OutputError(f"cannot write {output}: {error.strerror or error}", hint) from error
    if descriptor is None:
        raise OutputError(
            f"{output} is being written by another process", "wait for it to end, or choose another output"
        )
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()  # still held: a process that opens it later finds that its name is gone
        os.close(descriptor)
        if sys.platform == "win32":  # where an open file cannot be deleted
            with suppress(OSError):
                lock.unlink()


def _acquire(lock: Path, deadline: float) -> int | None:
    """Return the descriptor of the locked file; None if another process holds the lock until `deadline`."""
    while True:
        lock.parent.mkdir(parents=True, exist_ok=True)
        busy = True
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except FileNotFoundError:  # the folder has just been deleted
            pass
        else:
            try:
                busy = not _try_lock(descriptor)
                if not busy and _is_file(descriptor, lock):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
        if time.monotonic() >= deadline and busy:
            return None
        if busy:
            time.sleep(_INTERVAL)


def _try_lock(descriptor: int) -> bool:
    """Lock an open file; return whether that succeeded. The lock ends when the descriptor is closed."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            # Unlike lockf, it does not end when another descriptor of the file is closed.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return True
        if isinstance(error, BlockingIOError | PermissionError) or error.errno == errno.EDEADLK:
            return False
        raise
    return True


def _is_file(descriptor: int, path: Path) -> bool:
    """Whether `path` names the open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
