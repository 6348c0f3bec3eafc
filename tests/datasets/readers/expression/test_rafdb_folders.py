import pytest

from facedis.datasets.readers.expression.rafdb_folders import RafDbFolders
from facedis.datasets.scan import scan_dataset
from facedis.errors import InputError
from tests.datasets.trees import put


@pytest.mark.parametrize("folders", ["123456", "01234567"])
def test_ambiguous_numbers_are_an_error(tmp_path, folders):
    put(tmp_path, *(f"train/{number}/train_00001_aligned.jpg" for number in folders))
    assert RafDbFolders.match_score(tmp_path) == 2
    with pytest.raises(InputError, match=r"RAF-DB's numbers \(1 to 7\) or AffectNet's \(0 to 6\)"):
        scan_dataset(RafDbFolders(tmp_path))


def test_number_order_is_detected_per_copy(tmp_path):
    put(tmp_path / "own", "train/1/train_00001.jpg", "valid/7/test_0001.jpg")
    put(tmp_path / "other", "train/1/train_00001.jpg", "valid/0/test_0001.jpg")
    assert [(r.expression, r.split) for r in scan_dataset(RafDbFolders(tmp_path / "own")).records] == [
        ("surprise", "train"),
        ("neutral", "val"),
    ]
    assert [r.expression for r in scan_dataset(RafDbFolders(tmp_path / "other")).records] == ["happiness", "neutral"]


def test_a_stray_image_is_skipped(tmp_path):
    put(tmp_path, "train/7/train_00001.jpg", "train/train_00002.jpg")
    assert [each.file for each in scan_dataset(RafDbFolders(tmp_path)).skipped] == ["train/train_00002.jpg"]
