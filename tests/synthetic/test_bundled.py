import csv
import io
import zipfile
from collections import Counter
from threading import Barrier, Thread

import h5py
import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from facedis.errors import OutputError
from facedis.metrics.statistics.intervals import wilson_ci
from facedis.synthetic import bundled
from facedis.synthetic.backdrop import backdrop
from facedis.taxonomy import EIGHT

#: Side of the cells into which a background is divided, in pixels.
_CELL = 16


def read_labels(part):
    with zipfile.ZipFile(bundled.ARCHIVE) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(f"{part}/labels.csv").decode())))


@pytest.fixture(scope="module")
def rows():
    return read_labels(bundled.FACES)


@pytest.fixture(scope="module")
def backgrounds(rows):
    """(n, 128, 128, 3) backgrounds of all images, without the heads.

    They are rendered from their seeds, because masked images would reveal the shape of the head and hair.
    """
    with zipfile.ZipFile(bundled.ARCHIVE) as archive, h5py.File(io.BytesIO(archive.read("faces/factors.h5"))) as file:
        seeds = dict(zip(file["image"].asstr()[:], file["background"][:].tolist(), strict=True))
    return np.stack([backdrop(seeds[row["image"]], 128) for row in rows])


@pytest.fixture(scope="module")
def cells(backgrounds):
    """(n, D) mean and spread of each cell of every background."""
    n, side, _, _ = backgrounds.shape
    cut = backgrounds.reshape(n, side // _CELL, _CELL, side // _CELL, _CELL, 3)
    return np.concatenate([cut.mean((2, 4)).reshape(n, -1), cut.std((2, 4)).reshape(n, -1)], axis=1)


def test_images_have_these_backgrounds(rows, backgrounds):
    own, foreign = [], []
    with zipfile.ZipFile(bundled.ARCHIVE) as archive:
        for row, background, other in zip(rows[::16], backgrounds[::16], np.roll(backgrounds, 8, 0)[::16], strict=True):
            with Image.open(io.BytesIO(archive.read(f"faces/{row['image']}"))) as image:
                pixels = np.asarray(image.convert("RGB"), np.float32) / 255
            for found, drawn in ((own, background), (foreign, other)):
                found.append((np.abs(pixels - drawn).max(axis=2) < 0.05).mean())
    assert (np.array(own) > np.array(foreign)).mean() > 0.98  # in a few, hair covers most of the image


def test_classes_are_balanced_and_splits_subject_disjoint(rows):
    for split in ("train", "val", "test"):
        counts = Counter(row["expression"] for row in rows if row["split"] == split)
        assert set(counts) == set(EIGHT) and len(set(counts.values())) == 1
    people = {row["identity"]: row["split"] for row in rows}
    assert all(people[row["identity"]] == row["split"] for row in rows)
    assert len({row["image"] for row in rows}) == len(rows)


def test_grid_has_each_test_identity_once_per_expression(rows):
    grid = read_labels(bundled.GRID)
    testing = {row["identity"] for row in rows if row["split"] == "test"}
    assert Counter((row["identity"], row["expression"]) for row in grid) == {
        (identity, name): 1 for identity in testing for name in EIGHT
    }


def test_archive_fits_into_the_wheel():
    assert bundled.ARCHIVE.stat().st_size <= 12e6


def probe_accuracy(features, labels, fit, test):
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(features[fit], labels[fit])
    hits = int((probe.predict(features[test]) == labels[test]).sum())
    return wilson_ci(hits, int(test.sum()), chance=1 / len(set(labels)))


def test_background_does_not_predict_the_expression(rows, cells):
    labels = np.array([EIGHT.index(row["expression"]) for row in rows])
    training = np.array([row["split"] == "train" for row in rows])
    figure = probe_accuracy(cells, labels, training, ~training)
    assert figure.low <= figure.chance


def test_background_does_not_predict_the_identity(rows, cells):
    _, people = np.unique([row["identity"] for row in rows], return_inverse=True)
    first = np.array([row["image"].endswith("_0.webp") for row in rows])
    figure = probe_accuracy(cells, people, first, ~first)
    assert figure.low <= figure.chance


def test_unpack_happens_once_and_is_complete(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEDIS_HOME", str(tmp_path / "home"))
    notes = []
    place = bundled.unpack(notes.append)
    assert place.parent == tmp_path / "home" / f"rendered-faces-{bundled.VERSION}"
    assert len(notes) == 1 and (place / "labels.csv").is_file()
    assert [path.name for path in (tmp_path / "home").iterdir()] == [place.parent.name]
    monkeypatch.setattr(bundled, "ARCHIVE", None)
    assert bundled.unpack(part=bundled.GRID).name == "grid"


def test_two_threads_may_unpack_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEDIS_HOME", str(tmp_path / "home"))
    barrier, found = Barrier(2), []

    def unpack():
        barrier.wait()
        found.append(bundled.unpack())

    threads = [Thread(target=unpack) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1] and len(list((tmp_path / "home").iterdir())) == 1


def test_a_cache_dir_that_cannot_be_written_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FACEDIS_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(OutputError, match=r"cannot write the bundled faces .*FACEDIS_HOME"):
        bundled.unpack()
