import pytest

from facedis.datasets.readers.generic.class_folders import ClassFolders
from facedis.datasets.record import FaceRecord, Skipped
from facedis.errors import InputError


def tree(root, *images):
    for image in images:
        path = root / image
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def test_names_are_mapped_by_alias_not_by_order(tmp_path):
    tree(tmp_path, "Angry/1.jpg", "joy/2.PNG", "SAD/3.jpeg")
    records = list(ClassFolders(tmp_path).records())
    assert records == [
        FaceRecord("Angry/1.jpg", "anger"),
        FaceRecord("SAD/3.jpeg", "sadness"),
        FaceRecord("joy/2.PNG", "happiness"),
    ]


def test_splits_and_other_folders_at_any_level(tmp_path):
    tree(tmp_path, "studio/Valid/fear/day1/1.jpg", "happy/test/2.jpg", "Train/sad/3.jpg", "joy/anger/4.jpg")
    found = {record.image: (record.expression, record.split) for record in ClassFolders(tmp_path).records()}
    assert found == {
        "studio/Valid/fear/day1/1.jpg": ("fear", "val"),
        "happy/test/2.jpg": ("happiness", "test"),
        "Train/sad/3.jpg": ("sadness", "train"),
        "joy/anger/4.jpg": ("anger", ""),  # the innermost folder counts
    }


def test_hidden_and_archive_files_are_ignored(tmp_path):
    tree(tmp_path, "happy/1.jpg", "happy/.DS_Store", "happy/._1.jpg", "__MACOSX/happy/1.jpg", ".cache/sad/2.jpg")
    tree(tmp_path, "happy/notes.txt", "happy/Thumbs.db")
    assert [record.image for record in ClassFolders(tmp_path).records()] == ["happy/1.jpg"]


@pytest.mark.parametrize(
    ("images", "named"),
    [
        (["train/hapy/1.jpg", "train/sad/2.jpg"], "train/hapy is not named after a known expression"),
        (["03/1.jpg"], "03 is not named after a known expression"),
    ],
)
def test_an_unknown_class_folder_is_an_error(tmp_path, images, named):
    with pytest.raises(InputError, match=named):
        list(ClassFolders(tree(tmp_path, *images)).records())


def test_an_image_outside_the_class_folders_is_skipped(tmp_path):
    records = list(ClassFolders(tree(tmp_path, "happy/1.jpg", "train/3.jpg", "2.jpg")).records())
    why = "it is not in a folder named after an expression"
    assert records == [Skipped("2.jpg", 0, why), FaceRecord("happy/1.jpg", "happiness"), Skipped("train/3.jpg", 0, why)]


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(InputError, match="holds no image"):
        list(ClassFolders(tree(tmp_path, "happy/readme.txt")).records())


def test_links_are_followed_and_cycles_end(tmp_path):
    tree(tmp_path / "elsewhere", "1.jpg")
    root = tree(tmp_path / "root", "sad/2.jpg")
    (root / "happy").symlink_to(tmp_path / "elsewhere")
    (root / "sad" / "again").symlink_to(root)
    assert [record.image for record in ClassFolders(root).records()] == ["happy/1.jpg", "sad/2.jpg"]


def test_a_class_folder_with_an_image_is_required(tmp_path):
    assert ClassFolders.match_score(tree(tmp_path / "a", "deep/down/happy/1.jpg")) == 1
    assert ClassFolders.match_score(tree(tmp_path / "b", "happy/1.txt", "people/1.jpg")) == 0
