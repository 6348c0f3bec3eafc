"""One process at a time writes an output, and a killed one does not block the next."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from facedis.errors import OutputError
from facedis.locks import FOLDER_LOCK, exclusive_lock, folder_lock, is_locked

BUSY = "is being written by another process; wait for it to end, or choose another output"
_HOLD = """
import sys, time
from facedis.locks import exclusive_lock
with exclusive_lock(sys.argv[1]):
    print("locked", flush=True)
    time.sleep(60)
"""


def _holder(path):
    process = subprocess.Popen([sys.executable, "-c", _HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "locked\n"
    return process


def test_a_second_process_is_refused_and_a_killed_one_leaves_no_lock(tmp_path):
    path = tmp_path / "new" / "faces.h5"
    process = _holder(path)
    with pytest.raises(OutputError) as error, exclusive_lock(path):
        pass
    assert str(error.value) == f"{path} {BUSY}"
    process.send_signal(signal.SIGKILL)
    process.wait()
    with exclusive_lock(path):
        assert [item.name for item in path.parent.iterdir()] == [".faces.h5.lock"]
    assert not list(path.parent.iterdir())


def test_it_waits_as_long_as_asked(tmp_path):
    process = _holder(tmp_path / "a")
    threading.Timer(1, process.kill).start()
    with exclusive_lock(tmp_path / "a", timeout=30):
        assert process.wait() == -signal.SIGKILL


def test_it_lasts_when_the_file_is_opened_and_closed(tmp_path):
    path = tmp_path / "a.bin"
    np.zeros(3).tofile(path)
    with exclusive_lock(path):
        np.fromfile(path)  # a POSIX lock of the file would be gone now
        with pytest.raises(OutputError, match=BUSY), exclusive_lock(path):
            pass


def test_threads_are_kept_apart_and_an_error_releases(tmp_path):
    with pytest.raises(ZeroDivisionError), exclusive_lock(tmp_path / "a"):
        raise ZeroDivisionError
    failed = []

    def second():
        try:
            with exclusive_lock(tmp_path / "a"):
                pass
        except OutputError as error:
            failed.append(error)

    with exclusive_lock(tmp_path / "a"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert len(failed) == 1


def test_a_folder_is_made_and_says_whether_it_is_locked(tmp_path):
    folder = tmp_path / "a" / "b"
    assert not is_locked(folder)
    with folder_lock(folder):
        assert is_locked(folder)
        with pytest.raises(OutputError, match=BUSY), folder_lock(folder):
            pass
    assert folder.is_dir() and not list(folder.iterdir()) and not is_locked(folder)
    (folder / FOLDER_LOCK).touch()  # left by a killed process
    assert not is_locked(folder)


def test_what_cannot_be_locked_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for lock in (exclusive_lock(tmp_path / "file" / "a.h5"), folder_lock(tmp_path / "file")):
        with pytest.raises(OutputError, match="cannot write"), lock:
            pass
    (tmp_path / ".a.lock").symlink_to(tmp_path / "file")
    with pytest.raises(OutputError, match="cannot write"), exclusive_lock(tmp_path / "a"):
        pass


def test_without_locks_in_the_file_system_the_output_is_written(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("facedis.locks.fcntl.flock", unsupported)
    with exclusive_lock(tmp_path / "a"):
        pass


def _count(folder, rounds):
    """Enter the lock `rounds` times; in it, no other process may be."""
    for _ in range(rounds):
        with exclusive_lock(folder / "a", timeout=60):
            marker = os.open(folder / "inside", os.O_CREAT | os.O_EXCL)
            time.sleep(0.001)
            os.close(marker)
            (folder / "inside").unlink()


def test_many_processes_enter_one_at_a_time(tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_count, args=(tmp_path, 10)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert not list(tmp_path.iterdir())
