"""SIGKILL at the worst moments and at random ones: what is on disk then must be enough to go on."""

import json
import signal
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
from facedis.faces.cache.cache_format import partial_path

# Aligns, and dies at the moment named: before the n-th call of `write` or `finish`, or after the n-th `column`.
_DIE = """
import os, signal, sys
from pathlib import Path
from facedis.config import AlignConfig
from facedis.faces.alignment import align_dataset as module
from facedis.faces.cache.cache_writer import CacheWriter
from facedis.faces.cache.hdf5 import Columns

source, output, crop, moment, count = *sys.argv[1:5], int(sys.argv[5])
module.CHUNK_ROWS = module.CHUNK_BYTES = 4
module._chunks = lambda pending, n, info: [range(s, min(s + 4, n)) for s in sorted({row // 4 * 4 for row in pending})]
calls = 0

def deadly(real):
    def method(self, *arguments):
        global calls
        calls += 1
        if calls == count:
            if moment == "column":
                real(self, *arguments)
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, *arguments)
    return method

owner, name = (Columns, "write") if moment == "column" else (CacheWriter, moment)
setattr(owner, name, deadly(getattr(owner, name)))
module.align(Path(source), Path(output), AlignConfig(crop=crop, image_size=32))
"""


def content(path):
    with h5py.File(path) as file:
        return {name: file[name][:] for name in file} | {f"@{name}": file.attrs[name] for name in file.attrs}


@pytest.fixture(scope="module")
def patches(tmp_path_factory):
    """22 patterns in class folders, with an unreadable one among them."""
    root = tmp_path_factory.mktemp("patches")
    (root / "happy").mkdir()
    rng = np.random.default_rng(0)
    for number in range(22):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(root / "happy" / f"{number:02}.png")
    (root / "happy" / "13.png").write_text("broken")
    return root


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """150 patterns, enough rows for two shards."""
    root = tmp_path_factory.mktemp("many")
    (root / "sad").mkdir()
    rng = np.random.default_rng(1)
    for number in range(150):
        Image.fromarray(rng.integers(1, 256, (32, 32, 3), np.uint8)).save(root / "sad" / f"{number:03}.png")
    return root


# A chunk has seven columns, the first of them the pixels and the last one the status.
@pytest.mark.parametrize(
    ("moment", "count", "done"),
    [("write", 1, 0), ("column", 15, 8), ("column", 20, 8), ("column", 21, 12), ("write", 4, 12), ("finish", 1, 22)],
)
def test_killed_at_any_moment_it_goes_on_to_the_same_cache(patches, tmp_path, moment, count, done):
    output = tmp_path / "faces.h5"
    died = subprocess.run([sys.executable, "-c", _DIE, patches, output, "none", moment, str(count)])
    assert died.returncode == -signal.SIGKILL
    assert not output.exists()
    with h5py.File(partial_path(output)) as file:
        assert (file["status"][:] != 0).sum() == done
    config = AlignConfig(crop="none", image_size=32)
    module.align(patches, output, config)
    module.align(patches, tmp_path / "unbroken.h5", config)
    np.testing.assert_equal(content(output), content(tmp_path / "unbroken.h5"))
    assert not partial_path(output).exists()


def test_killed_between_detections_it_goes_on_to_the_same_cache(folder, tmp_path, monkeypatch):
    output = tmp_path / "faces.h5"
    died = subprocess.run([sys.executable, "-c", _DIE, folder, output, "box", "write", "4"])
    assert died.returncode == -signal.SIGKILL
    monkeypatch.setattr(module, "CHUNK_ROWS", 4)
    config = AlignConfig(crop="box", image_size=32)
    events = []
    module.align(folder, output, config, events.append)
    assert [event.total for event in events if event.kind == "start"] == [30 - 12]
    module.align(folder, tmp_path / "unbroken.h5", config)
    np.testing.assert_equal(content(output), content(tmp_path / "unbroken.h5"))


# Aligns once to know how long that takes, then kills further alignments at random moments of it. Each is a
# fork, so that what takes longest, to import everything, is done once.
_KILL_AT_RANDOM = """
import json, os, random, signal, sys, time
from pathlib import Path
from facedis.config import AlignConfig
from facedis.faces.alignment import align_dataset as module
from facedis.faces.detection.mtcnn import Mtcnn
from facedis.faces.alignment.shards import Shard

source, folder, crop = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
shards, kills = map(int, sys.argv[4:])
module.CHUNK_ROWS = 4
module.CHUNK_BYTES = 16 * 32 * 32 * 3

def align(name):
    for shard in [Shard(number, shards) for number in range(1, shards + 1)] if shards else [None]:
        module.align(source, folder / name, AlignConfig(crop=crop, image_size=32), shard=shard)

def forked(name):
    child = os.fork()
    if not child:
        try:
            align(name)
        finally:
            os._exit(0)
    return child

began = time.perf_counter()
os.waitpid(forked("unbroken.h5"), 0)
takes = time.perf_counter() - began
moments, ends = random.Random(0), []
for number in range(kills):
    child = forked(f"{number}.h5")
    time.sleep(takes * (number + moments.random()) / kills)
    os.kill(child, signal.SIGKILL)
    ends.append(os.WIFSIGNALED(os.waitpid(child, 0)[1]))
print(json.dumps(ends))
"""


@pytest.mark.parametrize(("crop", "shards", "kills"), [("none", 0, 10), ("none", 2, 6), ("box", 0, 4)])
def test_killed_at_random_moments_it_opens_and_goes_on_to_the_same_cache(
    crop, shards, kills, many, folder, tmp_path, monkeypatch
):
    source = folder if crop == "box" else many
    words = [sys.executable, "-c", _KILL_AT_RANDOM, source, tmp_path, crop, str(shards), str(kills)]
    ran = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert sum(json.loads(ran.stdout)) >= kills // 2
    monkeypatch.setattr(module, "CHUNK_ROWS", 4)
    monkeypatch.setattr(module, "CHUNK_BYTES", 16 * 32 * 32 * 3)
    wanted = content(tmp_path / "unbroken.h5")
    parts = [Shard(number, shards) for number in range(1, shards + 1)] or [None]
    for output in (tmp_path / f"{number}.h5" for number in range(kills)):
        for place in (shard_path(output, part) if part else output for part in parts):
            if partial_path(place).exists():
                with h5py.File(partial_path(place)) as file:
                    assert len(file["status"]) == len(file["face"])
        for part in parts:
            module.align(source, output, AlignConfig(crop=crop, image_size=32), shard=part)
        assert verify_cache(output)["whole"]
        np.testing.assert_equal(content(output), wanted)
        assert not list(tmp_path.glob(f"{output.stem}.*partial"))
