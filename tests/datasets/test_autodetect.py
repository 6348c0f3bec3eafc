import pytest

from facedis import plugins
from facedis.datasets.autodetect import create_reader
from facedis.errors import ConfigError, InputError


def put(root, *images):
    for image in images:
        (root / image).parent.mkdir(parents=True, exist_ok=True)
        (root / image).touch()
    return root


def labels(root):
    put(root, "a.jpg")
    (root / "labels.csv").write_text("image,expression\na.jpg,happy\n")
    return root


def fer2013(root):
    return put(root, "Training/happy/1.jpg", "PublicTest/sad/1.jpg", "PrivateTest/fear/1.jpg")


LAYOUTS = {
    "class-folders": lambda root: put(root, "train/happy/1.jpg"),
    "labels-csv": labels,
    "fer2013": fer2013,  # also class folders, but the named layout wins
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_are_detected(tmp_path, name):
    reader = create_reader(LAYOUTS[name](tmp_path))
    assert reader.name == name
    records = list(reader.records())
    assert records == list(create_reader(tmp_path, name).records())
    assert [record.image for record in records] == sorted(record.image for record in records)
    assert all((tmp_path / record.image).is_file() for record in records)


@pytest.mark.parametrize("name", plugins.discover(plugins.DATASETS))
def test_readers_are_named_after_their_entry_point_and_an_empty_folder_is_an_error(tmp_path, name):
    reader = plugins.load_by_name(plugins.DATASETS, name)
    assert reader.name == name
    assert isinstance(reader.cropped, bool)
    assert reader.match_score(tmp_path) == 0
    with pytest.raises(InputError):
        list(reader(tmp_path).records())


def test_equal_scores_are_an_error(tmp_path):
    put(labels(tmp_path), "happy/1.jpg")
    with pytest.raises(ConfigError, match=r"class-folders and as labels-csv; choose one: --dataset"):
        create_reader(tmp_path)
    assert create_reader(tmp_path, "labels-csv").name == "labels-csv"


def test_an_unknown_reader_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match=r"no dataset 'imagenet'"):
        create_reader(tmp_path, "imagenet")


def test_errors_of_bad_folders(tmp_path):
    with pytest.raises(InputError, match=r"there is no folder"):
        create_reader(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"is not a folder"):
        create_reader(put(tmp_path, "file.jpg") / "file.jpg")
    with pytest.raises(InputError, match=r"holds no image"):
        create_reader(put(tmp_path / "texts", "happy/readme.txt"))
    with pytest.raises(InputError, match=r"no folder above people/1.jpg is named after an expression"):
        create_reader(put(tmp_path / "faces", "people/1.jpg"))


def test_reader_options(tmp_path, monkeypatch):
    class Optional:
        name = "optional"

        def __init__(self, root, kind="plain", frames=3):
            self.kind, self.frames = kind, frames

    monkeypatch.setattr(plugins, "load_by_name", lambda *_: Optional)
    reader = create_reader(tmp_path, "optional:frames=1, kind=odd")
    assert (reader.kind, reader.frames) == ("odd", 1)
    assert create_reader(tmp_path, "optional").frames == 3
    with pytest.raises(ConfigError, match=r"no option 'frame'; its options are kind, frames"):
        create_reader(tmp_path, "optional:frame=1")
    with pytest.raises(ConfigError, match=r"frames of the reader optional is 'x'; give an integer"):
        create_reader(tmp_path, "optional:frames=x")


def test_a_reader_without_options(tmp_path):
    with pytest.raises(ConfigError, match=r"class-folders has no option 'frames'; it has none"):
        create_reader(tmp_path, "class-folders:frames=1")
