import pytest

from facedis.datasets.autodetect import create_reader
from facedis.datasets.readers.expression.affectnet_folders import AffectNetFolders
from facedis.datasets.record import Skipped
from facedis.datasets.scan import scan_dataset
from facedis.errors import InputError
from tests.datasets.trees import TREES, put


def test_numbered_folders_match_only_with_affectnet_file_names(tmp_path):
    put(tmp_path, *(f"train/{number}/fer{number:07}.png" for number in range(8)))
    assert AffectNetFolders.match_score(tmp_path) == 0
    assert len(scan_dataset(create_reader(tmp_path, "affectnet-folders")).records) == 8


def test_seven_numbered_folders_do_not_match(tmp_path):
    put(tmp_path, *(f"train/{number}/{number}.jpg" for number in range(7)))
    assert AffectNetFolders.match_score(tmp_path) == 0


def test_eight_named_folders_match_only_below_a_folder_called_affectnet(tmp_path):
    for place in ("photos", "My-AffectNet-8"):
        (tmp_path / place).mkdir()
        TREES["affectnet, named folders"].make(tmp_path / place)
    assert create_reader(tmp_path / "photos").name == "class-folders"
    assert create_reader(tmp_path / "My-AffectNet-8").name == "affectnet-folders"


def test_an_unknown_folder_is_an_error_and_a_stray_image_is_skipped(tmp_path):
    put(tmp_path, "train/1/1.jpg", "train/2.jpg")
    assert scan_dataset(AffectNetFolders(tmp_path)).skipped == [
        Skipped("train/2.jpg", 0, "it is not in an expression folder")
    ]
    put(tmp_path, "train/9/1.jpg")
    with pytest.raises(InputError, match=r"the folder 9 of .* is not an expression"):
        scan_dataset(AffectNetFolders(tmp_path))
