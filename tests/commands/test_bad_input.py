"""Bad input: one clear line, exit code 2, nothing half-written."""

import json
import shutil

import h5py
import numpy as np
import pytest
from PIL import Image

from tests.conftest import write_cache


def refused(done, *words):
    """One line on stderr that says all of `words`, exit code 2, nothing on stdout."""
    assert done.code == 2
    lines = [line for line in done.err.splitlines() if line.startswith("facedis: ")]
    assert len(lines) == 1, done.err
    assert "Traceback" not in done.err
    for word in words:
        assert word in lines[0]


@pytest.fixture
def photo(tmp_path):
    """A picture without a face in it."""
    path = tmp_path / "wall.png"
    Image.new("RGB", (200, 200), (120, 130, 140)).save(path)
    return path


def test_no_run_yet(facedis, tmp_path, monkeypatch, photo):
    monkeypatch.chdir(tmp_path)
    refused(facedis("similarity", photo, photo), "no trained run", "facedis train")
    refused(facedis("swap", photo, photo), "no trained run")
    refused(facedis("eval"), "no trained run")


def test_no_faces_cache(facedis, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(facedis("train"), "faces.h5", "facedis align")
    assert not list(tmp_path.iterdir())


def test_pictures_that_cannot_be_compared(facedis, here, tmp_path, photo, pictures):
    good = next(pictures.glob("*.webp"))
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "empty.png").write_bytes(b"")
    with Image.open(good) as image:
        image.save(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:900])
    refused(facedis("similarity", good, tmp_path / "gone.jpg"), "gone.jpg")
    for name in ("text.jpg", "empty.png", "cut.jpg"):
        refused(facedis("similarity", good, tmp_path / name), name)
    refused(facedis("similarity", good, photo), "no face", "wall.png", "--crop none")
    refused(facedis("swap", good, photo, "-o", tmp_path / "swap.png"), "no face")
    assert not (tmp_path / "swap.png").exists()


def test_a_run_folder_without_a_model(facedis, here, tmp_path, pictures):
    good = next(pictures.glob("*.webp"))
    (tmp_path / "nothing").mkdir()
    refused(facedis("eval", "--run", tmp_path / "nothing"), "not a run folder")
    shutil.copytree(here / "runs" / "one", tmp_path / "run")
    (tmp_path / "run" / "model.safetensors").unlink()
    refused(facedis("similarity", good, good, "--run", tmp_path / "run"), "no trained model")
    (tmp_path / "run" / "model.safetensors").write_bytes(b"12345")
    refused(facedis("similarity", good, good, "--run", tmp_path / "run"), "broken")
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps(info | {"format": 99}))
    refused(facedis("similarity", good, good, "--run", tmp_path / "run"), "format 99")


def test_a_run_without_a_decoder_says_how_to_get_one(facedis, here, tmp_path, pictures):
    good = next(pictures.glob("*.webp"))
    words = (
        "--trunk",
        "mobilenet_v3_large",
        "--size",
        "32",
        "--epochs",
        "1",
        "--decoder",
        "none",
        "--runs",
        tmp_path / "runs",
        "--name",
        "dry",
        "-q",
    )
    assert facedis("train", *words).code == 0
    refused(facedis("swap", good, good, "--run", tmp_path / "runs" / "dry"), "no decoder", "--decoder detached")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--lr", "nan"), ("--lr", "nan")),
        (("--lr", "-1"), ("--lr",)),
        (("--beta1", "inf"), ("--beta1",)),
        (("--trunk", "resnet19"), ("resnet19", "mobilenet_v3_large")),
        (("--weights", "nowhere.pt"), ("nowhere.pt",)),
        (("--decoder", "joined"), ("joined", "detached")),
        (("--baseline", "--decoder", "detached"), ("baseline",)),
        (("--preset", "huge"), ("huge", "small")),
        (("--size", "50"), ("--size",)),
        (("--device", "cuda"), ("cuda",)),
        (("--resume", "nowhere"), ("nowhere",)),
    ],
)
def test_settings_out_of_range(facedis, here, tmp_path, words, expected):
    refused(facedis("train", *words, "--runs", tmp_path / "runs", "--name", "x"), *expected)
    assert not (tmp_path / "runs" / "x").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[train]\nbetta1 = 0.0\n", ("betta1", "beta1")),
        ("[trian]\nbeta1 = 0.0\n", ("trian", "train")),
        ("[train\n", ("is not TOML",)),
        ('[train]\nepochs = "many"\n', ("epochs", "int")),
    ],
)
def test_settings_files_with_mistakes(facedis, here, tmp_path, text, expected):
    (tmp_path / "s.toml").write_text(text)
    refused(facedis("train", "--config", tmp_path / "s.toml", "--runs", tmp_path / "runs"), *expected)
    assert not (tmp_path / "runs").exists()


def test_caches_that_cannot_be_read(facedis, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cache = write_cache(tmp_path / "good.h5")
    with h5py.File(shutil.copy(cache, tmp_path / "old.h5"), "r+") as file:
        file.attrs["version"] = 99
    (tmp_path / "cut.h5").write_bytes(cache.read_bytes()[:-3000])
    (tmp_path / "text.h5").write_text("no HDF5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["numbers"] = np.arange(3)
    for name, words in (
        ("old.h5", ("version 99",)),
        ("cut.h5", ("cut.h5",)),
        ("text.h5", ("text.h5",)),
        ("other.h5", ("not a faces cache",)),
        ("gone.h5", ("gone.h5", "facedis align")),
    ):
        refused(facedis("train", "--faces", name), *words)
    assert not (tmp_path / "runs").exists()


def test_places_that_cannot_be_written(facedis, here, tmp_path, pictures):
    good = next(pictures.glob("*.webp"))
    (tmp_path / "file").write_text("in the way")
    refused(facedis("swap", good, good, "-o", tmp_path / "file" / "swap.png"), "cannot write")
    refused(facedis("train", "--runs", tmp_path / "file"), "cannot make")
    assert (tmp_path / "file").read_text() == "in the way"
