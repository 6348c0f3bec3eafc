"""Small things that many tests need: a faces cache of simple patterns, made in milliseconds."""

import csv
import io
import os
import signal
import zipfile

# Networks as small as those of the tests are slower on several threads, and far slower where other
# programs want the same cores. Set before torch is imported; commands started by tests inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A script that runs the tests in its background has them ignore Ctrl-C, and so would the commands that they send one.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import numpy as np
import pytest

from facedis.config import as_dict, resolve
from facedis.datasets.record import FaceRecord
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.cache_format import CacheInfo
from facedis.faces.cache.cache_writer import AlignedFaces, CacheWriter
from facedis.synthetic import bundled


def change(config, **flat):
    """`config` with settings changed by name; those of the decoder as a mapping `decoder=`."""
    return resolve(type(config), as_dict(config), flat)


CLASSES = ("neutral", "happiness", "anger")


def write_cache(path, people=12, each=2, size=32, classes=CLASSES, version_of="rendered", seed=0):
    """A cache in which the expression is a bright stripe at a height of its own, the person a tint."""
    rng = np.random.default_rng(seed)
    records, splits, faces = [], [], []
    for person in range(people):
        tint = rng.uniform(40, 120, 3)
        for label, name in enumerate(classes):
            for repeat in range(each):
                records.append(FaceRecord(f"p{person}_{name}_{repeat}.png", name, f"p{person}"))
                splits.append("train" if person < people // 2 else "val" if person < people * 3 // 4 else "test")
                face = np.full((size, size, 3), tint) + rng.normal(0, 8, (size, size, 3))
                top = 2 + label * size // len(classes)
                face[top : top + size // 5] += 110
                faces.append(face.clip(0, 255).astype(np.uint8))
    info = CacheInfo(
        classes=tuple(classes),
        size=size,
        crop="box",
        margin=32.0,
        detector="mtcnn",
        dataset=version_of,
        source="nowhere",
        fingerprint=f"patterns-{people}-{each}-{size}-{seed}",
        settings="{}",
    )
    CacheWriter.create(path, info, records, splits)
    writer, n = CacheWriter.resume(path), len(records)
    nothing = np.full((n, 4), np.nan, np.float32)
    rows = AlignedFaces(
        np.stack(faces), nothing, np.full((n, 5, 2), np.nan), nothing[:, 0], np.ones(n, np.uint8), np.zeros(n, bool)
    )
    writer.write(0, rows)
    writer.finish()
    return path


def copy_bundled(folder, people, repeats=2):
    """Some of the bundled faces as a rendered set of their own: `people` of each split, `repeats` of a kind."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(bundled.ARCHIVE) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("faces/labels.csv").decode())))
        chosen = set()
        for split, number in people.items():
            chosen |= set(sorted({row["identity"] for row in rows if row["split"] == split})[:number])
        endings = tuple(f"_{repeat}.webp" for repeat in range(repeats))
        rows = [row for row in rows if row["identity"] in chosen and row["image"].endswith(endings)]
        for name in ["rendered-faces.json", *(row["image"] for row in rows)]:
            (folder / name).write_bytes(archive.read(f"faces/{name}"))
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of rendered faces where a home has the bundled ones: 8 people, 8 expressions, twice."""
    folder = tmp_path_factory.mktemp("home") / f"rendered-faces-{bundled.VERSION}" / bundled.FACES
    return copy_bundled(folder, {"train": 4, "val": 2, "test": 2})


@pytest.fixture(scope="session")
def pattern_cache(tmp_path_factory):
    """Path of a finished cache: 12 people x 3 expressions x 2 faces of 32 px, half of them to train."""
    return write_cache(tmp_path_factory.mktemp("patterns") / "faces.h5")


@pytest.fixture
def opened(pattern_cache):
    with FacesCache.open(pattern_cache) as cache:
        yield cache
