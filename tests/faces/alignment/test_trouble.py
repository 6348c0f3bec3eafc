"""What a machine does to an alignment: stopped, disk full, nothing to write to, images gone. Always one line."""

import os
import resource
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
from PIL import Image

from facedis.config import AlignConfig
from facedis.faces.alignment import align_dataset as module
from facedis.faces.alignment.shards import Shard, shard_path
from facedis.faces.alignment.verify import verify_cache
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.cache_format import partial_path
from facedis.faces.cache.summary import summarise_cache
from facedis.locks import exclusive_lock

SIDE, ROWS, CHUNK = 32, 150, 16
CONFIG = AlignConfig(crop="none")

# The program itself with chunks of 16 rows; after the chunk whose number comes first it gets a SIGTERM.
_PROGRAM = """
import os, signal, sys
from facedis.cli import main
from facedis.faces.alignment import align_dataset as module
from facedis.faces.cache.cache_writer import CacheWriter

after = int(sys.argv.pop(1))
module.CHUNK_BYTES = 16 * 32 * 32 * 3
real, calls = CacheWriter.write, []

def write(self, first, rows):
    real(self, first, rows)
    calls.append(first)
    if len(calls) == after:
        os.kill(os.getpid(), signal.SIGTERM)

CacheWriter.write = write
main()
"""


def facedis(*words, after=0, **how):
    words = ["align", *words, "--crop", "none", "-q"]
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM, *map(str, (after, *words))],
        capture_output=True,
        text=True,
        timeout=120,
        **how,
    )


def line(ran):
    """The one line on stderr."""
    (only,) = ran.stderr.splitlines()
    return only


def write_patterns(folder, numbers):
    rng = np.random.default_rng(3)
    for number in range(ROWS):
        pattern = Image.fromarray(rng.integers(1, 256, (SIDE, SIDE, 3), np.uint8))
        if number in numbers:
            pattern.save(folder / f"{number:03}.png")


@pytest.fixture
def source(tmp_path):
    """150 patterns with a labels.csv."""
    root = tmp_path / "source"
    root.mkdir()
    write_patterns(root, range(ROWS))
    rows = (f"{number:03}.png,{('happy', 'sad')[number % 2]}" for number in range(ROWS))
    (root / "labels.csv").write_text("\n".join(["image,expression", *rows]) + "\n")
    return root


@pytest.fixture
def disk(tmp_path):
    """A file system of its own; `disk(size)` mounts it there or gives it another size."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = []

    def sized(options):
        words = ["-o", f"remount,{options}"] if mounted else ["-t", "tmpfs", "-o", options, "tmpfs"]
        try:
            subprocess.run(["mount", *words, place], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no file system can be mounted here: {getattr(error, 'stderr', None) or error}")
        mounted.append(options)
        return place

    yield sized
    if mounted:
        subprocess.run(["umount", place], check=True)


def same_as_unbroken(output, source):
    """Whether `output` has what an alignment has that nothing disturbed, and is whole."""
    unbroken = output.parent.parent / "unbroken" / "faces.h5"
    module.align(source, unbroken, CONFIG)
    with FacesCache.open(output) as one, FacesCache.open(unbroken) as two:
        assert one.info == two.info
        np.testing.assert_array_equal(one.faces(np.arange(ROWS)), two.faces(np.arange(ROWS)))
        for name in ("status", "label", "split", "grey", "source", "box"):
            np.testing.assert_array_equal(one.column(name), two.column(name))
    return verify_cache(output)["whole"]


def done(output):
    """Rows of an unfinished cache that are done."""
    with h5py.File(partial_path(output)) as file:
        return int((file["status"][:] != 0).sum())


@pytest.mark.parametrize("shards", [0, 2])
def test_sigterm_ends_with_a_line_and_the_same_command_goes_on(source, tmp_path, shards):
    output = tmp_path / "out" / "faces.h5"
    part = shard_path(output, Shard(1, 2)) if shards else output
    words = ["--shard", "1/2"] if shards else []
    ran = facedis(source, "-o", output, *words, after=2)
    assert ran.returncode == 128 + 15
    assert line(ran) == "facedis: stopped; nothing that was finished is lost"
    assert done(part) == 2 * CHUNK
    for number in range(1, shards + 1) or [None]:
        module.align(source, output, CONFIG, shard=number and Shard(number, shards))
    assert same_as_unbroken(output, source)


def test_a_disk_that_fills_up_ends_with_a_line_and_with_room_it_goes_on(source, disk):
    output = disk("size=300k") / "faces.h5"
    ran = facedis(source, "-o", output)
    assert ran.returncode == 2
    assert line(ran) == (
        f"facedis: cannot write {partial_path(output)}: No space left on device; "
        "free disk space and run the same command again to continue"
    )
    before = done(output)
    assert 0 < before < ROWS and before % CHUNK == 0
    again = facedis(source, "-o", output)  # without room still a line, and nothing lost
    assert again.returncode == 2 and "No space left" in line(again)
    assert done(output) == before
    disk("size=4m")
    assert facedis(source, "-o", output).returncode == 0
    assert same_as_unbroken(output, source)


def test_a_disk_without_room_for_the_columns_is_left_as_it_was(source, disk):
    output = disk("size=8k") / "faces.h5"
    ran = facedis(source, "-o", output)
    assert ran.returncode == 2
    assert line(ran) == f"facedis: cannot write {output}: No space left on device; choose another -o"
    assert list(output.parent.iterdir()) == []


def test_a_limit_on_the_size_of_files_is_a_line(source, tmp_path):
    output = tmp_path / "out" / "faces.h5"
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # noqa: E731
    ran = facedis(source, "-o", output, preexec_fn=limit)
    assert ran.returncode == 2
    assert line(ran) == f"facedis: cannot write {output}: File too large; choose another -o"
    assert list(output.parent.iterdir()) == []


def test_a_target_that_cannot_be_written_is_a_line(source, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere; see the next test")
    (tmp_path / "out").mkdir(mode=0o555)
    ran = facedis(source, "-o", tmp_path / "out" / "faces.h5")
    assert ran.returncode == 2
    assert line(ran) == f"facedis: cannot write {tmp_path}/out/faces.h5: Permission denied; choose another -o"


def test_a_target_that_becomes_read_only_midway_keeps_what_was_done(source, disk):
    output = disk("size=4m") / "faces.h5"
    assert facedis(source, "-o", output, after=3).returncode == 128 + 15
    disk("ro")
    ran = facedis(source, "-o", output)
    assert ran.returncode == 2
    assert line(ran).startswith(f"facedis: cannot write {output}: Read-only file system; make its folder writable")
    other = facedis(source, "-o", output.parent / "other.h5")
    assert line(other) == (
        f"facedis: cannot write {output.parent}/other.h5: Read-only file system; make its folder writable, or choose "
        "another output"
    )
    assert done(output) == 3 * CHUNK
    disk("rw")
    assert facedis(source, "-o", output).returncode == 0
    assert same_as_unbroken(output, source)


@pytest.mark.parametrize("shards", [0, 2])
def test_images_that_go_or_break_midway_are_rows_that_say_so(source, tmp_path, shards, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_BYTES", CHUNK * SIDE * SIDE * 3)
    output = tmp_path / "out" / "faces.h5"
    words = ["--shard", "1/2"] if shards else []
    assert facedis(source, "-o", output, *words, after=2).returncode == 128 + 15
    (source / "001.png").unlink()  # was done
    (source / "040.png").unlink()
    (source / "041.png").write_bytes((source / "041.png").read_bytes()[:60])
    Image.new("RGB", (SIDE, SIDE), (9, 9, 9)).save(source / "042.png")
    for number in range(1, shards + 1) or [None]:
        module.align(source, output, CONFIG, shard=number and Shard(number, shards))
    with FacesCache.open(output) as cache:
        states = cache.status[[0, 1, 39, 40, 41, 42]].tolist()
        assert states == ["ok", "ok", "ok", "missing", "unreadable", "ok"]
        assert cache.column("grey")[[39, 42]].tolist() == [False, True]
    write_patterns(source, {1})  # now each row is what an unbroken alignment makes of the source
    assert same_as_unbroken(output, source)


def test_two_processes_do_not_write_the_same_cache(source, tmp_path):
    output = tmp_path / "out" / "faces.h5"
    assert facedis(source, "-o", output, after=2).returncode == 128 + 15
    with exclusive_lock(output):
        for more in ([], ["--overwrite"]):
            ran = facedis(source, "-o", output, *more)
            assert ran.returncode == 2
            assert line(ran) == (
                f"facedis: {output} is being written by another process; wait for it to end, or choose another output"
            )
            assert summarise_cache(partial_path(output))["status"] == {
                "pending": ROWS - 2 * CHUNK,
                "ok": 2 * CHUNK,
            }  # reading is free
    assert facedis(source, "-o", output).returncode == 0
    assert same_as_unbroken(output, source)


def test_a_list_that_changes_midway_is_another_source(source, tmp_path):
    output = tmp_path / "out" / "faces.h5"
    assert facedis(source, "-o", output, after=2).returncode == 128 + 15
    labels = source / "labels.csv"
    before = labels.read_text()
    labels.write_text(before.replace("149.png,sad\n", ""))
    ran = facedis(source, "-o", output)
    assert ran.returncode == 2
    assert line(ran) == (
        f"facedis: the unfinished {partial_path(output)} is in the way; it holds other images or settings; "
        "choose another -o or --overwrite"
    )
    labels.write_text(before)
    assert facedis(source, "-o", output).returncode == 0
    assert same_as_unbroken(output, source)


def test_a_source_that_is_gone_midway_is_a_line(source, tmp_path):
    output = tmp_path / "out" / "faces.h5"
    assert facedis(source, "-o", output, after=2).returncode == 128 + 15
    shutil.move(source, tmp_path / "elsewhere")
    ran = facedis(source, "-o", output)
    assert ran.returncode == 2 and line(ran).startswith(f"facedis: there is no folder {source}")
    shutil.move(tmp_path / "elsewhere", source)
    assert facedis(source, "-o", output).returncode == 0
    assert same_as_unbroken(output, source)
