import pytest

from facedis.datasets.fer2013 import Fer2013Folders
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


def test_the_challenge_s_splits_and_seven_expressions(root):
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


def test_only_all_three_folders_are_recognised(root):
    assert Fer2013Folders.recognises(root) == 2
    (root / "PublicTest").rename(root / "validation")
    assert Fer2013Folders.recognises(root) == 0


def test_an_unknown_folder_is_refused(root):
    (root / "Training" / "confused").mkdir()
    (root / "Training" / "confused" / "1.jpg").touch()
    with pytest.raises(InputError, match=r"'confused' is not the name of a known expression in .*Training"):
        list(Fer2013Folders(root).records())


def test_an_image_outside_the_expressions_is_refused(root):
    (root / "Training" / "1.jpg").touch()
    with pytest.raises(InputError, match=r"1.jpg lies in no expression"):
        list(Fer2013Folders(root).records())


def test_empty_folders_are_refused(tmp_path):
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
    with pytest.raises(InputError, match=r"holds no image"):
        list(Fer2013Folders(tmp_path).records())
