import pytest

from facedis.datasets.autodetect import create_reader
from facedis.datasets.readers.expression.affectnet import AffectNet, AffectNetAuto
from facedis.datasets.scan import scan_dataset
from facedis.errors import InputError
from tests.datasets.trees import HEADER, TREES, VAL, affectnet_row, put, write


@pytest.fixture
def root(tmp_path):
    TREES["affectnet, lists apart"].make(tmp_path)
    return tmp_path


def test_boxes_and_five_landmarks(root):
    records = {record.image.rpartition("/")[2]: record for record in scan_dataset(AffectNet(root)).records}
    record = records[VAL.rpartition("/")[2]]
    assert record.box == (5, 6, 45, 48)
    # Landmarks of the synthetic table are in rows of ten: x = 20.5 + point % 10, y = 30 + point // 10.
    eye, other = [sum(point % 10 for point in part) / 6 + 20.5 for part in (range(36, 42), range(42, 48))]
    assert record.landmarks == pytest.approx((eye, 33 + 2 / 6, other, 34, 20.5, 33, 28.5, 34, 24.5, 35))


def test_a_box_may_leave_the_image_but_must_have_an_area(tmp_path):
    rows = [("a", "-8,-3,40,42"), ("b", "5,5,0,9"), ("c", "NULL,1,2,3"), ("d", "-1,-1,-1,-1"), ("e", "1e1,2,3.5,4")]
    lines = [affectnet_row(f"1/{name}.jpg", 1, box) for name, box in rows]
    write(tmp_path, "training.csv", "\n".join([HEADER, *lines]))
    boxes = {record.image[-5]: record.box for record in scan_dataset(AffectNet(tmp_path)).records}
    assert boxes == {"a": (-8, -3, 32, 39), "b": None, "c": None, "d": None, "e": (10, 2, 13.5, 6)}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (affectnet_row("1/b.jpg", 8), "labelled None, which is none of the eight"),
        (affectnet_row("1/b.jpg", 9), "labelled Uncertain"),
        (affectnet_row("1/b.jpg", 10), "labelled Non-Face"),
        (affectnet_row("1/b.jpg", 11), "no expression with the number 11"),
        (affectnet_row("1/b.jpg", -1), "no expression with the number -1"),
        (affectnet_row("1/b.jpg", "happy"), "the expression 'happy' is not a number"),
        ("1/b.jpg,3", "it has no expression"),
        (affectnet_row("../b.jpg", 1), "not an image inside"),
        (affectnet_row("1/a.jpg", 1), "listed twice"),
        (affectnet_row("1/b,c.jpg", 1), "more cells than there are columns"),
    ],
)
def test_bad_rows_are_skipped_with_their_line(tmp_path, row, why):
    write(tmp_path, "training.csv", "\n".join([HEADER, affectnet_row("1/a.jpg", "3.0"), row, ""]))
    records, skipped = scan_dataset(AffectNet(tmp_path))
    assert [record.expression for record in records] == ["surprise"]
    assert [(each.file, each.line) for each in skipped] == [("training.csv", 3)]
    assert why in skipped[0].reason


def test_the_manual_part_has_priority(root):
    TREES["affectnet, automatic part"].make(root)
    assert (AffectNet.match_score(root), AffectNetAuto.match_score(root)) == (2, 1)
    assert create_reader(root).name == "affectnet"
    automatic = scan_dataset(create_reader(root, "affectnet-auto")).records
    assert {record.split for record in automatic} == {"train"}
    assert all(record.image.startswith("Automatically_Annotated/") for record in automatic)


def test_an_overlong_name_is_a_missing_image(tmp_path):
    write(tmp_path, "training.csv", "\n".join([HEADER, affectnet_row("1/" + "a" * 999, 1)]))
    assert len(scan_dataset(AffectNet(tmp_path)).records) == 1


def test_missing_images_get_the_path_of_the_image_folder(tmp_path):
    write(tmp_path, "training.csv", "\n".join([HEADER, affectnet_row("1/a.jpg", 1)]))
    (tmp_path / "Manually_Annotated_Images").mkdir()
    assert scan_dataset(AffectNet(tmp_path)).records[0].image == "Manually_Annotated_Images/1/a.jpg"


def test_other_tables_of_the_same_name_do_not_match(tmp_path):
    write(tmp_path, "training.csv", "image,label\na.jpg,1\n")
    put(tmp_path, "a.jpg")
    assert AffectNet.match_score(tmp_path) == 0
    with pytest.raises(InputError, match="lacks the column subdirectory_filepath"):
        scan_dataset(AffectNet(tmp_path))
