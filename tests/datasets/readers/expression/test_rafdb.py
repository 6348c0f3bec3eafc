import pytest

from facedis.datasets.autodetect import create_reader
from facedis.datasets.readers.expression.rafdb import RafDb
from facedis.datasets.scan import scan_dataset
from facedis.errors import ConfigError
from tests.datasets.trees import TREES, write


@pytest.fixture
def root(tmp_path):
    TREES["rafdb"].make(tmp_path)
    return tmp_path


def test_aligned_faces_are_the_default(root):
    reader = RafDb(root)
    assert reader.cropped
    assert scan_dataset(reader).records[0].image == "basic/Image/aligned/train_00001_aligned.jpg"


def test_original_photographs_have_landmarks(root):
    reader = create_reader(root, "rafdb:images=original")
    assert not reader.cropped
    record = scan_dataset(reader).records[0]
    assert record.image == "basic/Image/original/train_00001.jpg"
    assert record.landmarks == (20.5, 30, 60, 30.25, 40, 50, 25, 70, 55, 70)
    (root / "basic/Annotation/manual/train_00001_manu_attri.txt").unlink()
    assert scan_dataset(reader).records[0].landmarks is None
    with pytest.raises(ConfigError, match="choose aligned or original"):
        create_reader(root, "rafdb:images=cropped")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("train_00003.jpg 8", "no expression with the number 8"),
        ("train_00003.jpg 0", "no expression with the number 0"),
        ("train_00003.jpg", "not an image and a label"),
        ("photo_1.jpg 3", "begins with neither train nor test"),
        ("train_00001.jpg 3", "listed twice"),
        ("train_00003.jpg happy", "is not a number"),
    ],
)
def test_bad_lines_are_skipped_with_their_number(root, line, why):
    path = "basic/EmoLabel/list_patition_label.txt"
    write(root, path, (root / path).read_text() + f"{line}\n")
    records, skipped = scan_dataset(RafDb(root))
    assert len(records) == 4
    assert [(each.file, each.line) for each in skipped] == [(path, 5)]
    assert why in skipped[0].reason
