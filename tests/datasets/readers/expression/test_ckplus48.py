import pytest

from facedis.datasets.autodetect import create_reader
from facedis.datasets.readers.expression.ckplus48 import CkPlus48
from facedis.datasets.scan import scan_dataset
from facedis.errors import ConfigError
from tests.datasets.trees import TREES, put


@pytest.fixture
def root(tmp_path):
    TREES["ckplus48"].make(tmp_path)
    return tmp_path


def test_subjects_and_folds_follow_from_the_file_names(root):
    records = scan_dataset(create_reader(root, "ckplus48:fold=0")).records
    assert {r.identity: r.split for r in records} == {"S010": "test", "S011": "val", "S138": "train"}
    assert {r.split for r in scan_dataset(CkPlus48(root)).records} == {""}


def test_seven_classes_leave_out_contempt(root):
    records, skipped = scan_dataset(CkPlus48(root, classes=7))
    assert len(records) == 3 and skipped[0].reason == "contempt is not one of the 7 classes"


def test_other_file_names_are_skipped(root):
    put(root, "CK+48/anger/holiday.png", "CK+48/people/S010_004_00000001.png")
    assert {each.file: each.reason for each in scan_dataset(CkPlus48(root)).skipped} == {
        "CK+48/anger/holiday.png": "its name gives no subject",
        "CK+48/people/S010_004_00000001.png": "it is not in an expression folder",
    }


def test_options_out_of_range_are_errors(root):
    for option in ("fold=10", "classes=9"):
        with pytest.raises(ConfigError):
            create_reader(root, f"ckplus48:{option}")
