import pytest

from facedis.datasets.readers.identity.casia_rec import CasiaRec
from facedis.datasets.scan import scan_dataset
from facedis.errors import InputError
from tests.datasets.trees import TREES, jpeg


@pytest.fixture
def root(tmp_path):
    TREES["casia, RecordIO"].make(tmp_path)
    return tmp_path


def test_image_bytes_are_the_jpeg_file(root):
    reader = CasiaRec(root)
    assert [reader.image_bytes(record) for record in scan_dataset(reader).records] == [jpeg(1), jpeg(2), jpeg(3)]


def test_without_a_list_identities_are_numbers(root):
    (root / "train.lst").unlink()
    assert [record.identity for record in scan_dataset(CasiaRec(root)).records] == ["0", "0", "1"]


def test_records_are_the_same_without_an_index(root):
    with_index = scan_dataset(CasiaRec(root)).records
    (root / "train.idx").unlink()
    assert scan_dataset(CasiaRec(root)).records == with_index


def test_broken_lines_and_records_are_skipped(root):
    lines = (root / "train.idx").read_text().splitlines()
    lines[2] = "2\t17"  # no record begins there
    (root / "train.idx").write_text("\n".join([*lines, "x\t1", "1\t5", "7", "-1\t0"]))
    records, skipped = scan_dataset(CasiaRec(root))
    assert [record.image for record in records] == ["train.rec/1", "train.rec/3"]
    assert [(each.file, each.line) for each in skipped] == [
        *(("train.idx", line) for line in (7, 8, 9, 10)),
        ("train.rec/2", 0),
    ]


def test_an_empty_file_is_an_error(tmp_path):
    (tmp_path / "train.rec").touch()
    with pytest.raises(InputError, match="no image in the casia-rec dataset"):
        scan_dataset(CasiaRec(tmp_path))
