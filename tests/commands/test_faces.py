import shutil

import h5py
import pytest
from PIL import Image


@pytest.fixture
def cache(pattern_cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = shutil.copyfile(pattern_cache, tmp_path / "faces.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["detector"] = "none"  # its rows have no boxes
    return path


def test_info_shows_counts(facedis, cache):
    done = facedis("faces", "info", "faces.h5")
    assert done.code == 0
    assert "faces.h5: 72 faces of 32 px, colour" in done.out
    assert facedis("faces", "info", "--json").record["status"] == {"ok": 72}
    assert facedis("faces", "info", "-q").out == ""


def test_a_sheet_is_written_under_its_rows_name(facedis, cache, tmp_path):
    assert "Written: faces-expression.png" in facedis("faces", "sheet").out
    record = facedis("faces", "sheet", "--by", "status", "--columns", 3, "-o", "out/s.png", "--json").record
    with Image.open(tmp_path / "out" / "s.png") as image:
        assert image.size == (record["width"], record["height"])
    assert (tmp_path / "faces-expression.png").is_file()


def test_a_damaged_cache_is_shown_and_ends_with_2(facedis, cache):
    done = facedis("faces", "verify")
    assert (done.code, "faces.h5: intact, 72 rows" in done.out) == (0, True)
    with h5py.File(cache, "r+") as file:
        file["label"][3] = 99
    done = facedis("faces", "verify", "--json")
    assert done.code == 2 and done.record["whole"] is False
    assert done.err == (
        "facedis: faces.h5 is damaged: not true that labels are classes; "
        "make it again with `facedis align --overwrite`\n"
    )


def test_packing_writes_another_cache_beside_it(facedis, cache, tmp_path):
    done = facedis("faces", "pack")
    assert done.code == 0 and "Written: faces-png.h5 (72 rows as png, " in done.out
    record = facedis("faces", "pack", "--storage", "jpeg", "--quality", 50, "-o", "small.h5", "--json").record
    assert record["after"] == (tmp_path / "small.h5").stat().st_size < (tmp_path / "faces-png.h5").stat().st_size
    assert facedis("faces", "verify", "small.h5").code == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["show"], "no such command 'show'; see facedis faces --help"),
        (["info", "none.h5"], "there is no faces cache none.h5"),
        (["sheet", "-o", "sheet.jpg"], "sheet.jpg is not a PNG file"),
        (["pack", "--storage", "zip"], "invalid value for '--storage': 'zip'"),
        (["pack", "-o", "faces.h5"], "faces.h5 is the input file"),
        (["sheet", "--by", "people"], "invalid value for '--by': 'people'"),
        (["sheet", "-o", "faces.h5/sheet.png"], "cannot write faces.h5/sheet.png"),
    ],
)
def test_a_mistake_is_one_line(facedis, cache, words, line):
    done = facedis("faces", *words)
    assert done.code == 2 and done.err.count("\n") == 1 and line in done.err
