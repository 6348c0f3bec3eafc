"""Names of files and folders that mean something to the library that draws the tables."""

import json
import shutil

import pytest

from facedis.commands.shared import show
from facedis.reports.training import page

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
    assert "Most like a [red] :cat:.webp" in done.out and str(run) in done.out


@pytest.mark.parametrize("odd", ODD)
def test_train_and_eval_say_where_the_results_lie(facedis, here, tmp_path, capsys, odd):
    record = json.loads((here / "runs" / "one" / "result.json").read_text())
    show(record | {"model": str(tmp_path / odd)}, page, as_json=False, quiet=False)
    assert str(tmp_path / odd) in capsys.readouterr().out
    done = facedis("eval", "--split", "test", "--bootstrap", "100", "--probes", "linear", "-o", tmp_path / odd)
    assert done.code == 0, done.err
    assert f"{tmp_path / odd}/result.json" in done.out
