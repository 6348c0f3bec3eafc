import pytest

from facedis.datasets.readers.generic.labels_csv import LabelsCsv
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError


def dataset(root, text, *images, encoding="utf-8"):
    root.mkdir(exist_ok=True)
    (root / "labels.csv").write_text(text, encoding=encoding)
    for image in images:
        (root / image).parent.mkdir(parents=True, exist_ok=True)
        (root / image).touch()
    return LabelsCsv(root)


def test_any_column_order_and_the_images_folder(tmp_path):
    text = "split, Identity ,valence,expression,image\nTEST,Ann,0.1,Happy,b.jpg\n,,,sad,a/1.jpg\n\nvalid,Bob,,,c.jpg\n"
    reader = dataset(tmp_path, text, "images/b.jpg", "images/a/1.jpg", "c.jpg")
    assert list(reader.records()) == [
        FaceRecord("c.jpg", "", "Bob", "val"),
        FaceRecord("images/a/1.jpg", "sadness", "", ""),
        FaceRecord("images/b.jpg", "happiness", "Ann", "test"),
    ]


def test_rows_with_a_missing_image_are_kept(tmp_path):
    assert [r.image for r in dataset(tmp_path / "a", "image,expression\nx.jpg,fear\n").records()] == ["x.jpg"]
    reader = dataset(tmp_path / "b", "image,expression\nx.jpg,fear\n", "images/y.jpg")
    assert [r.image for r in reader.records()] == ["images/x.jpg"]


def test_byte_order_mark_and_windows_paths(tmp_path):
    reader = dataset(tmp_path, "image,expression\r\na\\1.jpg,anger\r\n", "a/1.jpg", encoding="utf-8-sig")
    assert reader.match_score(tmp_path) == 1
    assert list(reader.records()) == [FaceRecord("a/1.jpg", "anger")]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("image,expression\na.jpg,happy\nb.jpg,3\n", 3, "'3' is not the name of a known expression"),
        ("image,expression\n\na.jpg,sad\nb.jpg,hapy\n", 4, "'hapy' is not the name"),
        ("image,expression,split\na.jpg,happy,holdout\n", 2, "'holdout' is not a split"),
        ("image,expression\n,happy\n", 2, "it names no image"),
        ("image,expression\n../a.jpg,happy\n", 2, "'../a.jpg' is not an image inside"),
        ("image,expression\n/etc/a.jpg,happy\n", 2, "'/etc/a.jpg' is not an image inside"),
        ("image,expression\na.jpg,happy\na.jpg,sad\n", 3, "listed twice"),
        ('image,expression\n"a.jpg,happy\nb.jpg,sad\n', 2, "not a valid CSV row"),
        ("image,expression\na,b.jpg,happy\n", 2, "more cells than there are columns"),
    ],
)
def test_bad_rows_are_skipped_with_their_line(tmp_path, text, line, why):
    skipped = [item for item in dataset(tmp_path, text).records() if isinstance(item, Skipped)]
    assert [(item.file, item.line) for item in skipped] == [("labels.csv", line)]
    assert why in skipped[0].reason


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("image,label\na.jpg,happy\n", "lacks the column expression"),
        ("image,expression\n", "lists no image"),
        ("", "lacks the column image or expression"),
    ],
)
def test_other_tables_are_errors(tmp_path, text, named):
    with pytest.raises(InputError, match=named):
        list(dataset(tmp_path, text).records())


def test_a_short_row_is_unlabelled(tmp_path):
    assert list(dataset(tmp_path, "image,expression,identity\na.jpg\n").records()) == [FaceRecord("a.jpg")]


def test_a_row_that_is_not_utf8_is_skipped(tmp_path):
    (tmp_path / "labels.csv").write_bytes(b"image,expression\n\xff\xfe\x00\na.jpg,fear\n")
    assert list(LabelsCsv(tmp_path).records()) == [
        Skipped("labels.csv", 2, "it is not valid UTF-8"),
        FaceRecord("a.jpg", "fear"),
    ]


def test_other_tables_and_folders_do_not_match(tmp_path):
    assert LabelsCsv.match_score(tmp_path) == 0
    assert dataset(tmp_path, "image,label\n").match_score(tmp_path) == 0
