import pytest

from facedis.datasets.formats.tables import (
    BadRow,
    column_names,
    expression_of_label,
    parse_int,
    read_table,
    records_from_rows,
    relative_path,
)
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError


def table(root, content):
    path = root / "list.csv"
    path.write_bytes(content)
    return path


def test_rows_have_line_numbers_and_offsets(tmp_path):
    path = table(tmp_path, b"\xef\xbb\xbfA, b \r\n1,2\r\n\r\n3\r\n")
    rows = list(read_table(path, tmp_path, ("a", "b")))
    assert [(row.line, row.cells) for row in rows] == [(2, {"a": "1", "b": "2"}), (4, {"a": "3", "b": ""})]
    assert [path.read_bytes()[row.offset :][:1] for row in rows] == [b"1", b"3"]
    assert column_names(path) == {"a", "b"}


def test_a_broken_line_is_skipped_alone(tmp_path):
    path = table(tmp_path, b'a,b\n1,"2\n3,4\n5,\xff\n6,\x00\n7,8,9\n8,9,\n')
    rows = list(read_table(path, tmp_path))
    assert [row.line for row in rows] == [2, 3, 4, 5, 6, 7]
    assert [type(row) is Skipped for row in rows] == [True, False, True, True, True, False]


def test_files_without_the_columns_are_errors(tmp_path):
    for content in (b"", b"x,y\n", b"\xff\xfe\n"):
        with pytest.raises(InputError, match="lacks the column a"):
            list(read_table(table(tmp_path, content), tmp_path, ("a",)))
    with pytest.raises(InputError, match="cannot read"):
        list(read_table(tmp_path / "none.csv", tmp_path))
    assert column_names(tmp_path / "none.csv") == set()


def test_bad_and_repeated_rows_are_skipped_with_their_line(tmp_path):
    def make(row):
        parse_int(row.cells["n"], "number")
        return FaceRecord(row.cells["image"])

    path = table(tmp_path, b"image,n\na,1\nb,x\na,2\nc,3\n")
    items = list(records_from_rows(read_table(path, tmp_path), "list.csv", make))
    assert items == [
        FaceRecord("a"),
        Skipped("list.csv", 3, "the number 'x' is not a number"),
        Skipped("list.csv", 4, "its image is listed twice"),
        FaceRecord("c"),
    ]
    assert str(items[1]) == "list.csv, line 3: the number 'x' is not a number"
    assert str(Skipped("a.jpg", 0, "why")) == "a.jpg: why"


@pytest.mark.parametrize(("text", "number"), [("3", 3), (" 3.0", 3), ("   3.0000000e+00", 3), ("-2", -2)])
def test_numbers_in_every_notation(text, number):
    assert parse_int(text, "label") == number


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1.5", "1e999"])
def test_other_text_is_a_bad_row(text):
    with pytest.raises(BadRow, match="label"):
        parse_int(text, "label")


def test_labels_out_of_range_are_bad_rows():
    assert expression_of_label(("neutral", "", "fear"), 2) == "fear"
    for number in (-1, 1, 3):
        with pytest.raises(BadRow, match="no expression with the number"):
            expression_of_label(("neutral", "", "fear"), number)


def test_paths_out_of_the_folder_are_bad_rows():
    assert relative_path("a\\b.jpg") == "a/b.jpg"
    for image in ("", ".", "/a.jpg", "../a.jpg", "a/../../b.jpg", "C:\\a.jpg"):
        with pytest.raises(BadRow):
            relative_path(image)
