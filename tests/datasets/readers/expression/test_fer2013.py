import pytest

from facedis.datasets.readers.expression.fer2013 import Fer2013Folders
from facedis.datasets.record import Skipped
from facedis.errors import InputError
from facedis.taxonomy import SEVEN

FOLDERS = ("Training", "PublicTest", "PrivateTest")
NAMES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


@pytest.fixture
def root(tmp_path):
    for folder in FOLDERS:
        for name in NAMES:
            (tmp_path / folder / name).mkdir(parents=True)
            (tmp_path / folder / name / f"{folder}_1.jpg").touch()
    (tmp_path / "Training" / ".DS_Store").touch()
    return tmp_path


def test_splits_and_expressions_of_the_challenge(root):
    records = list(Fer2013Folders(root).records())
    assert len(records) == 21
    assert {record.image.split("/")[0]: record.split for record in records} == {
        "Training": "train",
        "PublicTest": "val",
        "PrivateTest": "test",
    }
    assert {record.image.split("/")[1]: record.expression for record in records} == {
        "angry": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "sad": "sadness",
        "surprise": "surprise",
    }
    assert {record.identity for record in records} == {""}
    assert Fer2013Folders.cropped and Fer2013Folders.classes == SEVEN


def test_all_three_folders_are_required(root):
    assert Fer2013Folders.match_score(root) == 2
    (root / "PublicTest").rename(root / "validation")
    assert Fer2013Folders.match_score(root) == 0


def test_an_unknown_folder_is_an_error(root):
    (root / "Training" / "confused").mkdir()
    (root / "Training" / "confused" / "1.jpg").touch()
    with pytest.raises(InputError, match=r"'confused' is not the name of a known expression in .*Training"):
        list(Fer2013Folders(root).records())


def test_an_image_outside_the_expression_folders_is_skipped(root):
    (root / "Training" / "1.jpg").touch()
    skipped = [item for item in Fer2013Folders(root).records() if isinstance(item, Skipped)]
    assert skipped == [Skipped("Training/1.jpg", 0, "it is not in an expression folder")]


def test_two_folders_are_split_by_file_name(tmp_path):
    images = ["train/happy/Training_7.jpg", "test/sad/PublicTest_8.jpg", "test/sad/PrivateTest_9.jpg"]
    for image in images:
        (tmp_path / image).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / image).touch()
    assert Fer2013Folders.match_score(tmp_path) == 2
    assert {record.image: record.split for record in Fer2013Folders(tmp_path).records()} == dict(
        zip(images, ["train", "val", "test"], strict=True)
    )
    (tmp_path / "test" / "sad" / "holiday.jpg").touch()
    assert Fer2013Folders.match_score(tmp_path) == 0
    skipped = [item for item in Fer2013Folders(tmp_path).records() if isinstance(item, Skipped)]
    assert [item.file for item in skipped] == ["test/sad/holiday.jpg"]


def test_empty_folders_are_an_error(tmp_path):
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
    with pytest.raises(InputError, match=r"holds no image"):
        list(Fer2013Folders(tmp_path).records())
