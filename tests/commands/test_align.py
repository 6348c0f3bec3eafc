import json
import subprocess
import sys

import pytest
from PIL import Image


def facedis(*arguments, where):
    command = [sys.executable, "-m", "facedis", "align", *map(str, arguments)]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=120)


@pytest.fixture
def data(tmp_path):
    for number, (split, name) in enumerate([("train", "happy"), ("train", "sad"), ("test", "happy")]):
        path = tmp_path / "data" / split / name / f"{number}.png"
        path.parent.mkdir(parents=True)
        Image.new("RGB", (32, 32), (number * 50, 9, 9)).save(path)
    (tmp_path / "data" / "train" / "sad" / "text.jpg").write_text("no image")
    return tmp_path / "data"


def test_the_table_shows_rows_splits_and_problems(data, tmp_path):
    ran = facedis("data", "--crop", "none", "-o", "out/faces.h5", where=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "image unreadable" in ran.stdout
    assert "unreadable: train/sad/text.jpg" in ran.stdout
    assert "Written: out/faces.h5 (3 faces of 32 px" in ran.stdout
    assert "read as class-folders" in ran.stderr


def test_json_is_the_record_and_nothing_else(data, tmp_path):
    ran = facedis("data", "--crop", "none", "--json", where=tmp_path)
    record = json.loads(ran.stdout)
    assert ran.stderr == ""
    assert (record["kind"], record["rows"], record["n"], record["output"]) == ("alignment", 4, 3, "faces.h5")
    assert record["status"] == {"ok": 3, "unreadable": 1}


def test_quiet_prints_nothing(data, tmp_path):
    ran = facedis("data", "--crop", "none", "-q", where=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert (tmp_path / "faces.h5").is_file()


def test_a_settings_file_is_read_and_an_option_wins(data, tmp_path):
    (tmp_path / "my.toml").write_text('[align]\ncrop = "none"\nimage_size = 64\nseed = 5\n')
    ran = facedis("data", "--config", "my.toml", "--image-size", 40, "--json", where=tmp_path)
    assert json.loads(ran.stdout)["size"] == 40


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere"], "there is no folder nowhere"),
        (["data", "--crop", "oval"], "'oval' is not one of 'auto', 'box', 'similarity', 'none'"),
        (["data", "--min-face-size", "3"], "--min-face-size is 3"),
        (["data", "--dataset", "imagenet"], "there is no dataset 'imagenet'"),
        (["data", "--crop", "none", "-o", "my.toml/faces.h5"], "cannot write my.toml/faces.h5"),
        (["data", "--config", "my.toml"], "[align] has no setting 'margn'; did you mean 'margin'?"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(data, tmp_path, arguments, line):
    (tmp_path / "my.toml").write_text("[align]\nmargn = 3\n")
    before = sorted(tmp_path.rglob("*"))
    ran = facedis(*arguments, "--quiet", where=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.startswith("facedis: ") and line in ran.stderr and ran.stderr.count("\n") == 1
    assert ran.stdout == "" and sorted(tmp_path.rglob("*")) == before


def test_a_check_looks_and_writes_nothing(data, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    ran = facedis("data", "--check", where=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "data: dataset class-folders, 4 images" in ran.stdout
    assert "unreadable: train/sad/text.jpg" in ran.stdout
    record = json.loads(facedis("data", "--check", "--json", where=tmp_path).stdout)
    assert (record["kind"], record["images"]) == ("check", {"ok": 3, "unreadable": 1})
    assert sorted(tmp_path.rglob("*")) == before
