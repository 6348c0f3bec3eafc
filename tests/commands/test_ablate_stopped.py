"""`facedis ablate --jobs 2` told to end: no training goes on, none begins, and what there was is kept."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.commands.conftest import TRUNK

WORDS = (
    "--preset",
    "small",
    "--trunk",
    TRUNK,
    "--image-size",
    "32",
    "--epochs",
    "100000",
    "--jobs",
    "2",
    "--device",
    "cpu",
)


@pytest.mark.parametrize(("number", "send"), [(signal.SIGTERM, os.kill), (signal.SIGINT, os.killpg)])
def test_sigterm_and_ctrl_c_end_all_trainings_with_a_checkpoint_each(pattern_cache, tmp_path, number, send):
    place = tmp_path / "grid"
    asked = [sys.executable, "-m", "facedis", "ablate", "--faces", str(pattern_cache), *WORDS, "-o", str(place)]
    process = subprocess.Popen(
        asked, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, start_new_session=True
    )
    while sum((run / "history.jsonl").exists() for run in _runs(place)) < 2:  # and the others wait
        assert process.poll() is None
        time.sleep(0.2)
    send(process.pid, number)  # a scheduler tells the one process, a terminal all of the group
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + number, said
    assert "Traceback" not in said
    assert len(_runs(place)) == 2
    assert all((run / "checkpoint.safetensors").exists() for run in _runs(place))


def _runs(place):
    """The run folders in `place`, without `latest`, which is one of them."""
    return [run for run in place.glob("*") if run.is_dir() and not run.is_symlink()]
