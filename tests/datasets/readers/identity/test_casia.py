from facedis.datasets.readers.identity.casia import Casia
from facedis.datasets.record import FaceRecord, Skipped
from facedis.datasets.scan import scan_dataset
from tests.datasets.trees import put


def test_identity_folders_at_any_depth(tmp_path):
    put(tmp_path, "CASIA_WebFace/img/0000045/001.jpg", "CASIA_WebFace/img/0000045/1002.jpg")
    assert Casia.match_score(tmp_path) == 2
    assert {record.identity for record in scan_dataset(Casia(tmp_path)).records} == {"0000045"}


def test_a_stray_image_is_skipped(tmp_path):
    put(tmp_path, "0000045/001.jpg", "sample.jpg")
    assert list(Casia(tmp_path).records()) == [
        FaceRecord("0000045/001.jpg", identity="0000045"),
        Skipped("sample.jpg", 0, "it is not in an identity folder"),
    ]


def test_other_numbers_do_not_match(tmp_path):
    put(tmp_path, "45/001.jpg")
    assert Casia.match_score(tmp_path) == 0
