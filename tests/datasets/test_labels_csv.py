import pytest

from facedis.datasets.labels_csv import LabelsCsv
from facedis.datasets.record import FaceRecord
from facedis.errors import InputError


def dataset(root, text, *images, encoding="utf-8"):
    root.mkdir(exist_ok=True)
    (root / "labels.csv").write_text(text, encoding=encoding)
    for image in images:
        (root / image).parent.mkdir(parents=True, exist_ok=True)
        (root / image).touch()
    return LabelsCsv(root)


def test_columns_may_come_in_any_order_and_images_from_the_images_folder(tmp_path):
    text = "split, Identity ,valence,expression,image\nTEST,Ann,0.1,Happy,b.jpg\n,,,sad,a/1.jpg\n\nvalid,Bob,,,c.jpg\n"
    reader = dataset(tmp_path, text, "images/b.jpg", "images/a/1.jpg", "c.jpg")
    assert list(reader.records()) == [
        FaceRecord("c.jpg", "", "Bob", "val"),
        FaceRecord("images/a/1.jpg", "sadness", "", ""),
        FaceRecord("images/b.jpg", "happiness", "Ann", "test"),
    ]


def test_a_row_whose_image_is_missing_stays_a_row(tmp_path):
    assert [r.image for r in dataset(tmp_path / "a", "image,expression\nx.jpg,fear\n").records()] == ["x.jpg"]
    reader = dataset(tmp_path / "b", "image,expression\nx.jpg,fear\n", "images/y.jpg")
    assert [r.image for r in reader.records()] == ["images/x.jpg"]


def test_a_byte_order_mark_and_windows_paths_are_read(tmp_path):
    reader = dataset(tmp_path, "image,expression\r\na\\1.jpg,anger\r\n", "a/1.jpg", encoding="utf-8-sig")
    assert reader.recognises(tmp_path) == 1
    assert list(reader.records()) == [FaceRecord("a/1.jpg", "anger")]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("image,expression\na.jpg,happy\nb.jpg,3\n", "'3' is not the name of a known expression in .*, line 3"),
        ("image,expression\n\n\nb.jpg,hapy\n", "line 4"),
        ("image,expression,split\na.jpg,happy,holdout\n", "line 2: 'holdout' is not a split"),
        ("image,expression\n,happy\n", "line 2: '' is no image below"),
        ("image,expression\n../a.jpg,happy\n", "line 2: '../a.jpg' is no image below"),
        ("image,expression\n/etc/a.jpg,happy\n", "line 2: '/etc/a.jpg' is no image below"),
        ("image,expression\na.jpg,happy\na.jpg,sad\n", "line 3: a.jpg is named a second time"),
        ("image,label\na.jpg,happy\n", "has not the columns image and expression"),
        ("image,expression\n", "lists no image"),
        ("", "has not the columns"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, text, named):
    with pytest.raises(InputError, match=named):
        list(dataset(tmp_path, text).records())


def test_a_short_row_is_a_row_without_an_expression(tmp_path):
    assert list(dataset(tmp_path, "image,expression,identity\na.jpg\n").records()) == [FaceRecord("a.jpg")]


def test_a_list_that_is_no_text_is_one_clear_line(tmp_path):
    (tmp_path / "labels.csv").write_bytes(b"image,expression\n\xff\xfe\x00\n")
    assert LabelsCsv.recognises(tmp_path) == 0
    with pytest.raises(InputError, match="not a CSV file in UTF-8"):
        list(LabelsCsv(tmp_path).records())


def test_other_tables_and_other_folders_are_not_recognised(tmp_path):
    assert LabelsCsv.recognises(tmp_path) == 0
    assert dataset(tmp_path, "image,label\n").recognises(tmp_path) == 0
