"""Where results go that nobody named a place for: none on other faces is lost."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from facedis.commands.common.shared import results_folder
from facedis.result import write_result
from tests.conftest import write_cache
from tests.tasks.runs import make_run


@pytest.fixture
def caches(tmp_path):
    """Two caches of one name: a/faces.h5 and b/faces.h5, and what their fingerprints begin with."""
    for name, people in (("a", 2), ("b", 3)):
        (tmp_path / name).mkdir()
        path = write_cache(tmp_path / name / "faces.h5", people=people, each=1)
        _call(path, {"a": "0123456789", "b": "9876543210"}[name])
    return tmp_path / "a" / "faces.h5", tmp_path / "b" / "faces.h5"


def _call(cache, fingerprint):
    import h5py

    with h5py.File(cache, "r+") as file:
        file.attrs["fingerprint"] = fingerprint


def _results(folder, faces, **keys):
    write_result({"faces": str(faces), **keys}, folder / "result.json")


@pytest.mark.parametrize("what", ["eval", "swap-eval"])
def test_faces_of_one_name_get_folders_of_their_own(caches, tmp_path, what):
    run, (a, b) = make_run(tmp_path / "run", 0), caches
    first = results_folder(what, run, "test", a)
    assert first == run.path / f"{what}-test-faces" == results_folder(what, run, "test", b)  # it is free
    _results(first, a, faces_fingerprint="0123456789")
    assert results_folder(what, run, "test", a) == first
    assert results_folder(what, run, "test", b) == run.path / f"{what}-test-faces-987654"
    _call(a, "5555555555")  # aligned anew, otherwise
    assert results_folder(what, run, "test", a) == run.path / f"{what}-test-faces-555555"


def test_of_an_older_record_the_path_says_whose_it_is(caches, tmp_path):
    run, (a, b) = make_run(tmp_path / "run", 0), caches
    first = run.path / "eval-val-faces"
    _results(first, a)
    assert results_folder("eval", run, "val", a) == first != results_folder("eval", run, "val", b)
    (first / "result.json").write_text("no record")
    assert results_folder("eval", run, "val", b) == first


def test_a_packed_model_in_one_folder_on_its_own_faces_and_on_others_of_that_name(caches, tmp_path, monkeypatch):
    run, (a, b) = make_run(tmp_path / "run", 0), caches
    about = {"packed": 1, "name": "demo", "faces": run.info["faces"] | {"path": "faces.h5"}}
    run = replace(run, info=run.info | about)
    monkeypatch.chdir(a.parent)
    assert results_folder("eval", run, "val", None) == Path("demo-eval-val")
    _results(Path("demo-eval-val"), "faces.h5", faces_fingerprint="0123456789")
    b.replace(a)  # another dataset under the name of the first
    assert results_folder("eval", run, "val", None) == Path("demo-eval-val-987654")


def test_eval_writes_down_whose_faces_they_were(facedis, here, tmp_path):
    from facedis.faces.cache.cache_format import read_info

    place = tmp_path / "out"
    assert facedis("eval", "--bootstrap-samples", "100", "--probes", "linear", "-o", place, "-q").code == 0
    found = json.loads((place / "result.json").read_text())
    assert found["faces_fingerprint"] == read_info(here / "faces.h5").fingerprint
