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
    record = facedis("faces", "sheet", "--by", "status", "--each", 3, "-o", "out/s.png", "--json").record
    with Image.open(tmp_path / "out" / "s.png") as image:
        assert image.size == (record["width"], record["height"])
    assert (tmp_path / "faces-expression.png").is_file()


def test_a_damaged_cache_is_shown_and_ends_with_2(facedis, cache):
    done = facedis("faces", "verify")
    assert (done.code, "faces.h5: whole, 72 rows" in done.out) == (0, True)
    with h5py.File(cache, "r+") as file:
        file["label"][3] = 99
    done = facedis("faces", "verify", "--json")
    assert done.code == 2 and done.record["whole"] is False
    assert done.err == (
        "facedis: faces.h5 is damaged: not true that labels are classes; "
        "make it again with `facedis align --overwrite`\n"
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["show"], "facedis faces cannot 'show'; choose one of: info, sheet, verify"),
        (["info", "none.h5"], "there is no faces cache none.h5"),
        (["sheet", "-o", "sheet.jpg"], "sheet.jpg is no PNG file"),
        (["sheet", "--by", "people"], "no contact sheet by 'people'"),
        (["sheet", "-o", "faces.h5/sheet.png"], "cannot write faces.h5/sheet.png"),
    ],
)
def test_a_mistake_is_one_line(facedis, cache, words, line):
    done = facedis("faces", *words)
    assert done.code == 2 and done.err.count("\n") == 1 and line in done.err
