"""The four commands of the user, bare and in order, and what they leave behind."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from facedis.faces.cache.cache import FacesCache
from facedis.model.storage.checkpoint import load_run

QUICK = ("--epochs", "1", "--image-size", "32", "--trunk", "mobilenet_v3_large")


def test_the_four_commands_work_bare_in_an_empty_folder(facedis, pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("FACEDIS_HOME", str(pictures.parents[1]))  # the bundled faces, fewer of them
    monkeypatch.chdir(tmp_path)
    assert facedis("align").code == 0
    with FacesCache.open("faces.h5") as cache:
        assert len(cache) == 128 and cache.usable.mean() > 0.9
    trained = facedis("train", "--beta1", "0", *QUICK)
    assert trained.code == 0
    assert trained.err.startswith("preset small: default for the bundled faces")
    x1, x2 = pictures / "person0154_happiness_0.webp", pictures / "person0155_anger_0.webp"
    compared = facedis("similarity", x1, x2)
    assert compared.code == 0 and "expression" in compared.out
    swapped = facedis("swap", x1, x2)
    assert swapped.code == 0
    with Image.open("swap.png") as picture:
        assert picture.width > 3 * 192 and picture.height > 2 * 192
        assert "synthetic" in picture.info["Comment"]


def test_train_leaves_a_complete_run(here):
    run = here / "runs" / "one"
    names = {path.name for path in run.iterdir()}
    assert {"run.json", "model.safetensors", "history.jsonl", "reference.json", "result.json"} <= names
    assert (here / "runs" / "latest").resolve() == run.resolve()
    record = json.loads((run / "result.json").read_text())
    assert record["kind"] == "training" and record["final"]["expression_accuracy"]["n"] == 32
    assert record["final"]["expression_accuracy"]["chance"] == pytest.approx(1 / 8)


def test_json_is_the_record_and_nothing_else(facedis, here, pictures):
    x1, x2 = pictures / "person0154_happiness_0.webp", pictures / "person0154_happiness_1.webp"
    done = facedis("similarity", x1, x2, "--json")
    assert done.err == "" and done.record["kind"] == "similarity"
    pair = done.record["pairs"][0]
    assert -1 <= pair["expression"]["cosine"] <= 1
    assert 0 <= pair["expression"]["percentile_same"] <= 100
    assert {"rest", "trunk"} <= pair.keys()


def test_a_face_is_wholly_like_itself(facedis, here, pictures):
    x1 = pictures / "person0154_happiness_0.webp"
    pair = facedis("similarity", x1, x1, "--json").record["pairs"][0]
    assert pair["expression"]["cosine"] == pytest.approx(1, abs=1e-5)
    assert pair["rest"]["cosine"] == pytest.approx(1, abs=1e-5)


def test_quiet_prints_nothing(facedis, here, pictures, tmp_path):
    x1, x2 = pictures / "person0154_happiness_0.webp", pictures / "person0155_anger_0.webp"
    done = facedis("swap", x1, x2, "--quiet", "-o", tmp_path / "s.png")
    assert (done.out, done.err) == ("", "") and (tmp_path / "s.png").exists()


def test_eval_writes_a_record_and_a_picture(facedis, here, tmp_path):
    quick = ("--split", "test", "--bootstrap-samples", "100", "--probes", "linear")
    done = facedis("eval", *quick, "-o", tmp_path / "eval", "--html", tmp_path / "eval.html", "--json")
    assert done.code == 0
    assert done.record["leakage"]["expression_in_rest"]["linear"]["chance"] == pytest.approx(1 / 8)
    assert json.loads((tmp_path / "eval" / "result.json").read_text()) == done.record
    with Image.open(tmp_path / "eval" / "confusion.png") as picture:
        assert picture.width > 300
    assert done.record["page"] == str(tmp_path / "eval.html")
    assert (tmp_path / "eval.html").read_text().startswith("<!doctype html>")


def test_ablate_trains_four_rows_once(facedis, here, tmp_path):
    words = ("ablate", "-o", tmp_path / "table", *QUICK, "--probes", "linear", "--json")
    first = facedis(*words)
    assert first.code == 0
    assert [row["name"] for row in first.record["rows"]] == ["baseline", "beta1-1.0", "beta1-0.001", "beta1-0"]
    assert first.record["rows"][3]["paper"] == {"c_exp": 0.6053, "c_adv": 0.16}
    assert first.record["rows"][0]["leakage"]["expression_in_rest"] is None
    before = (tmp_path / "table" / "beta1-0" / "model.safetensors").stat().st_mtime_ns
    again = facedis(*words)
    assert (tmp_path / "table" / "beta1-0" / "model.safetensors").stat().st_mtime_ns == before
    assert again.record["rows"] == first.record["rows"]
    assert first.record["rows"][0]["against_first"] is None
    assert 0 <= first.record["rows"][3]["against_first"]["p"] <= 1
    text = facedis(*words[:-1], "--format", "latex", "--table", tmp_path / "t.tex")
    assert text.out == (tmp_path / "t.tex").read_text() and text.out.startswith("\\begin{table}")
    assert facedis(*words[:-1], "--table", tmp_path / "t.doc").code == 2
    other = facedis("ablate", "-o", tmp_path / "table", *QUICK, "--probes", "linear", "--batch-size", "8")
    assert other.code == 2 and "other settings" in other.err


def test_settings_come_from_file_and_option_in_that_order(facedis, here, tmp_path):
    model, training = (
        "[model]\nimage_size = 32\ntrunk = 'mobilenet_v3_large'",
        "[train]\nepochs = 1\nbeta3 = 0.5\nbatch_size = 8",
    )
    (tmp_path / "s.toml").write_text(f"{model}\n{training}\n")
    done = facedis(
        "train",
        "--config",
        tmp_path / "s.toml",
        "--batch-size",
        "16",
        "--runs",
        tmp_path / "runs",
        "--name",
        "r",
        "--quiet",
    )
    assert done.code == 0
    info = json.loads((tmp_path / "runs" / "r" / "run.json").read_text())
    assert (info["train"]["beta3"], info["train"]["batch_size"], info["model"]["image_size"]) == (0.5, 16, 32)


def test_version_and_help_in_a_process_of_their_own():
    for words, expected in ((["--version"], "facedis 0."), (["train", "--help"], "--beta1")):
        done = subprocess.run([sys.executable, "-m", "facedis", *words], capture_output=True, text=True, check=True)
        assert expected in done.stdout


def test_a_run_can_start_from_the_trunk_of_another(facedis, here, tmp_path):
    start = ("train", "--weights", "runs/one", "--runs", tmp_path, "--quiet")
    assert facedis(*start, *QUICK, "--finetune", "none", "--name", "two").code == 0
    one, two = load_run(here / "runs" / "one"), load_run(tmp_path / "two")
    pairs = zip(one.model.trunk.parameters(), two.model.trunk.parameters(), strict=True)
    assert all((a == b).all() for a, b in pairs)
    assert two.model.trunk.pretrained and not one.model.trunk.pretrained
    other = facedis(*start, "--trunk", "resnet18", "--image-size", "32", "--name", "x")
    assert other.code == 2 and "does not fit the trunk" in other.err
