import numpy as np
import pytest
from PIL import Image

from facedis.errors import OutputError
from facedis.reports.figures import confusion_png

CLASSES = ("neutral", "happiness", "sadness")


def test_the_picture_is_written_whole(tmp_path):
    path = tmp_path / "new" / "confusion.png"
    confusion_png([[10, 0, 0], [5, 5, 0], [0, 0, 0]], CLASSES, path, "a title")
    picture = np.asarray(Image.open(path).convert("RGB"))
    assert min(picture.shape[:2]) > 300
    assert [file.name for file in path.parent.iterdir()] == ["confusion.png"]


def test_colour_is_the_share_of_the_row_and_not_the_count(tmp_path):
    few, many = tmp_path / "few.png", tmp_path / "many.png"
    confusion_png(np.eye(3) * 7, CLASSES, few)
    confusion_png(np.eye(3) * 8, CLASSES, many)
    first, second = (np.asarray(Image.open(path).convert("L")).astype(int) for path in (few, many))
    assert first.shape == second.shape
    changed = (abs(first - second) > 40).mean()
    assert 0 < changed < 0.01  # only the digits differ


def test_a_place_that_cannot_be_written_is_one_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        confusion_png(np.eye(3), CLASSES, tmp_path / "file" / "confusion.png")
