"""Bad input: one clear line, exit code 2, nothing half-written."""

import json
import shutil

import h5py
import numpy as np
import pytest
from PIL import Image

from facedis import pretrained
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
    monkeypatch.setattr(pretrained, "__file__", str(tmp_path / "__init__.py"))  # as if no model came along
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
        "--image-size",
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
        (("--image-size", "50"), ("--image-size",)),
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
    refused(facedis("train", "--runs", tmp_path / "file"), "cannot create")
    assert (tmp_path / "file").read_text() == "in the way"


def _image(pictures, number=0):
    return sorted(pictures.glob("*.webp"))[number]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("A",), ("1 image given", "takes 2", "--target-expression")),
        (("A", "B", "C"), ("3 images given", "--grid")),
        (("A", "B", "--target-expression", "fear"), ("2 images given", "--target-expression takes 1")),
        (("A", "--target-expression", "surprized"), ("has no expression 'surprized'", "did you mean 'surprised'?")),
        (("A", "--target-expression", "boredom"), ("boredom", "choose one of: neutral")),
        (("A", "B", "--grid", "--paste"), ("--grid", "--paste")),
        (("A", "B", "--interpolate", "3", "--paste"), ("--interpolate", "--paste")),
        (("A", "B", "--interpolate", "1"), ("--interpolate is 1", "2 to 60")),
        (("A", "--grid"), ("a grid of 1 image", "2 to 16")),
        (("FOLDER", "--grid"), ("contains no image",)),
        (("A", "FOLDER"), ("cannot use the image",)),
        (("A", "B", "-o", "FOLDER/swap.gif"), (".gif", ".png")),
        (("A", "B", "-o", "FOLDER/swap"), ("no known image extension", ".png")),
        (("A", "B", "-o", "FILE/swap.png"), ("cannot write",)),
        (("A", "B", "--crop", "round"), ("--crop", "similarity")),
    ],
)
def test_invalid_swaps_are_refused(facedis, here, tmp_path, pictures, words, expected):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    names = {"FOLDER": str(tmp_path / "folder"), "FILE": str(tmp_path / "file")}
    names |= {letter: str(_image(pictures, place)) for place, letter in enumerate("ABC")}
    said = [names.get(word) or "/".join(names.get(part, part) for part in word.split("/")) for word in words]
    refused(facedis("swap", *said, *([] if "-o" in said else ["-o", tmp_path / "swap.png"])), *expected)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    assert not list((tmp_path / "folder").iterdir())


def test_a_run_without_a_rest_code_cannot_swap(facedis, here, tmp_path, pictures, judges):
    words = ("--run", judges / "expression", "-o", tmp_path / "swap.png")
    refused(
        facedis("swap", _image(pictures), _image(pictures, 1), *words), "baseline", "rest code", "without --baseline"
    )
    refused(facedis("swap-eval", "--run", judges / "expression"), "baseline", "rest code")
    assert not list(tmp_path.iterdir())


def test_a_class_mean_needs_the_train_faces(facedis, here, tmp_path, pictures):
    shutil.copytree(here / "runs" / "one", tmp_path / "run")
    (tmp_path / "run" / "means.safetensors").unlink(missing_ok=True)
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    info["faces"]["path"] = str(tmp_path / "gone.h5")
    (tmp_path / "run" / "run.json").write_text(json.dumps(info))
    words = (
        "swap",
        _image(pictures),
        "--target-expression",
        "fear",
        "--run",
        tmp_path / "run",
        "-o",
        tmp_path / "swap.png",
    )
    refused(facedis(*words), "gone.h5", "second image")
    assert not (tmp_path / "swap.png").exists()
    refused(facedis("swap-eval", "--run", tmp_path / "run"), "gone.h5", "--faces")


def test_evaluators_that_are_not_independent_are_refused(facedis, here, tmp_path, judges):
    for words, expected in (
        (("--expression-model", "runs/one"), ("they are the same run",)),
        (("--expression-model", "runs/latest"), ("they are the same run",)),
        (("--expression-model", judges / "identity"), ("classifies identities", "--identity-model")),
        (("--identity-model", judges / "expression"), ("classifies expressions",)),
        (("--identity-model", "somebody"), ("somebody", "vggface2")),
        (("--expression-model", "nowhere"), ("nowhere",)),
        (("--split", "tset"), ("--split", "test")),
        (("--pairs", "0"), ("--pairs",)),
        (("--sheet", "sheet.gif"), (".gif",)),
    ):
        refused(facedis("swap-eval", "--run", "runs/one", *words, "-o", tmp_path / "out"), *expected)
    shutil.copytree(here / "runs" / "one", tmp_path / "copy")
    refused(facedis("swap-eval", "--run", "runs/one", "--expression-model", tmp_path / "copy"), "share weights")
    assert not (tmp_path / "out").exists()


def test_swap_eval_without_faces_or_output(facedis, here, tmp_path):
    (tmp_path / "file").write_text("in the way")
    refused(facedis("swap-eval", "-o", tmp_path / "file" / "out"), "cannot write")
    write_cache(tmp_path / "two.h5", people=4)  # two to train, one to validate, one to test
    write_cache(tmp_path / "one.h5", classes=("neutral",))
    refused(facedis("swap-eval", "--faces", tmp_path / "one.h5"), "fewer than two expressions", "split 'test'")
    refused(facedis("swap-eval", "--faces", tmp_path / "gone.h5"), "gone.h5")
