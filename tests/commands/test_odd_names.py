"""Names of files and folders that mean something to the library that draws the tables, or are no text at all."""

import csv
import json
import os
import shutil

import pytest

from facedis.commands.common.shared import show
from facedis.faces.cache.cache import FacesCache
from facedis.reports.terminal.train import render
from tests.commands.test_bad_input import refused

ODD = ("out [old] :cat:", "out [/b]")  # the second is a folder in a folder, and would close what nobody opened


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A terminal in which no path is broken into two lines."""
    monkeypatch.setenv("COLUMNS", "400")


@pytest.mark.parametrize("odd", ODD)
def test_similarity_shows_pictures_and_runs_as_they_are_called(facedis, here, pictures, tmp_path, odd):
    run = shutil.copytree(here / "runs" / "one", tmp_path / odd / "run")
    photos = tmp_path / odd / "photos"
    photos.mkdir()
    picture = shutil.copy(pictures / "person0154_happiness_0.webp", photos / "a [red] :cat:.webp")
    done = facedis("similarity", picture, photos, "--run", run, "--device", "cpu")
    assert done.code == 0, done.err
    assert "Most similar to a [red] :cat:.webp" in done.out and str(run) in done.out


@pytest.mark.parametrize("odd", ODD)
def test_train_and_eval_say_where_the_results_lie(facedis, here, tmp_path, capsys, odd):
    record = json.loads((here / "runs" / "one" / "result.json").read_text())
    show(record | {"model": str(tmp_path / odd)}, render, as_json=False, quiet=False)
    assert str(tmp_path / odd) in capsys.readouterr().out
    done = facedis("eval", "--split", "test", "--bootstrap-samples", "100", "--probes", "linear", "-o", tmp_path / odd)
    assert done.code == 0, done.err
    assert f"{tmp_path / odd}/result.json" in done.out


#: What older systems wrote for "café": bytes that are no UTF-8, as Python hands them on.
CAFE = os.fsdecode(b"caf\xe9")


@pytest.fixture
def cafe(pictures, tmp_path):
    """A folder of class folders; of one of the photographs the name is not UTF-8."""
    folder = tmp_path / "photos"
    try:
        for name, number in (("a", 0), ("b", 1), (CAFE, 0)):
            (folder / "happiness").mkdir(parents=True, exist_ok=True)
            shutil.copy(pictures / f"person0154_happiness_{number}.webp", folder / "happiness" / f"{name}.webp")
    except OSError:
        pytest.skip("here every name is text")
    return folder


def test_align_skips_a_name_that_is_no_text_and_says_so(facedis, cafe, tmp_path):
    words = ("align", cafe, "-o", tmp_path / "f.h5", "--device", "cpu")
    done = facedis(*words)
    assert done.code == 0 and "its name is not UTF-8: rename it" in done.err
    with FacesCache.open(tmp_path / "f.h5") as cache:
        assert cache.sources.tolist() == ["happiness/a.webp", "happiness/b.webp"]
    record = facedis(*words, "--overwrite", "--json").record
    assert (record["rows"], record["skipped"]) == (2, 1)
    assert record["skipped_rows"][0]["file"] == f"happiness/{CAFE}.webp"
    assert facedis("align", cafe, "--check").code == 0
    cafe.rename(tmp_path / CAFE)
    refused(facedis("align", tmp_path / CAFE, "-o", tmp_path / "g.h5"), "is not UTF-8", "rename it")


def test_embed_leaves_it_out(facedis, here, cafe, tmp_path):
    plain = tmp_path / "plain"
    plain.mkdir()
    for photo in (cafe / "happiness").iterdir():
        shutil.copy(photo, plain)
    for ending in ("csv", "npz"):
        done = facedis("embed", plain, "-o", tmp_path / f"codes.{ending}", "--device", "cpu", "--json")
        assert (done.record["n"], done.record["left_out"]) == (2, 1)
        assert done.record["problems"] == [{"image": f"{CAFE}.webp", "why": "its name is not UTF-8: rename it"}]


def test_similarity_swap_and_predict_take_it_where_it_is_named(facedis, here, cafe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = ("--run", here / "runs" / "one", "--device", "cpu")
    odd, other = (cafe / "happiness" / f"{name}.webp" for name in (CAFE, "a"))
    for words in (
        ("similarity", odd, other, "--csv", "s.csv", "--html", "s.html"),
        ("similarity", other, cafe / "happiness"),
        ("predict", odd, other, "--csv", "p.csv", "--annotate-dir", "drawn"),
        ("swap", odd, other, "-o", "swap.png"),
    ):
        done = facedis(*words, *model)
        assert done.code == 0, done.err
    assert len(list(csv.reader((tmp_path / "p.csv").open(encoding="utf-8")))) == 3
    assert facedis("similarity", odd, other, *model, "--json").record["pairs"][0]["image1"] == str(odd)


def test_train_makes_no_run_that_could_not_be_read(facedis, here, tmp_path):
    refused(facedis("train", "--runs", tmp_path / CAFE), "is not UTF-8", "--runs")
    assert not (tmp_path / CAFE).exists()
