from collections import Counter

import pytest

from facedis.datasets.autodetect import create_reader
from facedis.datasets.readers.expression.ckplus import CkPlus, fold_splits
from facedis.datasets.scan import scan_dataset
from facedis.errors import ConfigError
from facedis.taxonomy import EIGHT, SEVEN, SIX
from tests.datasets.trees import TREES, put, write


@pytest.fixture
def root(tmp_path):
    TREES["ckplus"].make(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("classes", "names", "counts"),
    [
        (8, EIGHT, {"neutral": 3, "surprise": 3, "disgust": 3, "contempt": 3}),
        (7, SEVEN, {"neutral": 2, "surprise": 3, "disgust": 3}),
        (6, SIX, {"surprise": 3, "disgust": 3}),
    ],
)
def test_three_vocabularies(root, classes, names, counts):
    reader = create_reader(root, f"ckplus:classes={classes}")
    records, skipped = scan_dataset(reader)
    assert reader.classes == names
    assert Counter(record.expression for record in records) == counts
    assert sum("contempt is not one of" in each.reason for each in skipped) == (classes < 8)


def test_frames_sets_the_number_of_last_frames(root):
    images = [r.image for r in scan_dataset(CkPlus(root, frames=1)).records if "S005" in r.image]
    assert [image[-12:] for image in images] == ["00000001.png", "00000011.png"]
    why = [each.reason for each in scan_dataset(CkPlus(root, frames=6)).skipped]
    assert why.count("the sequence has no more than 6 frames") == 3


def test_folds_assign_the_sorted_labelled_subjects_in_turn():
    subjects = [f"S{number:03}" for number in range(118)]
    tested = [{who for who, split in fold_splits(subjects, fold).items() if split == "test"} for fold in range(10)]
    assert set.union(*tested) == set(subjects) and sum(map(len, tested)) == 118
    assert Counter(map(len, tested)) == {12: 8, 11: 2}
    assert tested[3] == {f"S{number:03}" for number in range(3, 118, 10)}
    assert Counter(fold_splits(subjects, 9).values()) == {"train": 95, "val": 12, "test": 11}
    assert {who for who, split in fold_splits(subjects, 9).items() if split == "val"} == tested[0]


def test_folds_divide_subjects_contempt_included(root):
    for classes in (6, 8):  # S138 shows contempt only, and is one of the labelled subjects
        records = scan_dataset(CkPlus(root, classes=classes, fold=1)).records
        assert {r.identity: r.split for r in records if r.identity != "S138"} == {"S005": "train", "S010": "test"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it has no label"),
        ("   8.0000000e+00\n", "no expression with the number 8"),
        ("   x\n", "'x' is not a number"),
        (b"\xff\xfe3", "the label file cannot be read"),
    ],
)
def test_a_bad_label_skips_its_sequence_only(root, text, why):
    path = "Emotion/S010/002/S010_002_00000006_emotion.txt"
    write(root, path, text)
    records, skipped = scan_dataset(CkPlus(root))
    assert {record.identity for record in records} == {"S005", "S138"}
    assert [each for each in skipped if each.file == path and why in each.reason and each.line == 1]


def test_frames_are_sorted(tmp_path):
    put(tmp_path, *(f"cohn-kanade-images/S010/001/S010_001_{frame:08}.png" for frame in (9, 10, 1, 8, 2)))
    write(tmp_path, "Emotion/S010/001/S010_001_00000010_emotion.txt", "   1.0000000e+00\n")
    names = [record.image[-6:-4] for record in scan_dataset(CkPlus(tmp_path)).records]
    assert names == ["01", "08", "09", "10"]


@pytest.mark.parametrize("option", ["classes=5", "frames=0", "fold=10", "fold=-2"])
def test_options_out_of_range_are_errors(root, option):
    with pytest.raises(ConfigError):
        create_reader(root, f"ckplus:{option}")
