"""Conformance tests of all readers, on the layouts of `trees`."""

import io
import random
import shutil

import pytest
from PIL import Image

from facedis import plugins
from facedis.datasets.autodetect import create_reader
from facedis.datasets.record import FaceRecord, Skipped
from facedis.datasets.scan import scan_dataset
from facedis.errors import InputError
from facedis.taxonomy import EIGHT
from tests.datasets.trees import TREES

READERS = plugins.discover(plugins.DATASETS)


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """Every layout, made once."""
    made = {}
    for number, (name, tree) in enumerate(TREES.items()):
        place = "AffectNet" if name == "affectnet, named folders" else "data"
        made[name] = tmp_path_factory.mktemp(f"tree{number}") / place
        made[name].mkdir()
        tree.make(made[name])
    return made


@pytest.mark.parametrize("name", TREES)
def test_layout_is_detected_and_read(name, roots):
    root, tree = roots[name], TREES[name]
    reader = create_reader(root)
    assert reader.name == tree.reader
    records, skipped = scan_dataset(reader)
    assert {r.image: (r.expression, r.identity, r.split) for r in records} == tree.rows
    assert sorted((each.file, each.line) for each in skipped) == sorted(tree.skipped)
    assert all(each.reason and not each.reason.endswith(".") for each in skipped)


@pytest.mark.parametrize("name", TREES)
def test_reader_contract(name, roots):
    root = roots[name]
    reader = create_reader(root)
    items = list(reader.records())
    assert items == list(create_reader(root, reader.name).records()) == list(reader.records())
    records = [item for item in items if not isinstance(item, Skipped)]
    assert len({record.image for record in records}) == len(records) > 0
    for record in records:
        assert isinstance(record, FaceRecord)
        assert record.expression in ("", *getattr(reader, "classes", EIGHT))
        assert record.split in ("", "train", "val", "test")
        assert not record.image.startswith("/") and "\\" not in record.image and ".." not in record.image.split("/")
        assert record.box is None or (len(record.box) == 4 and record.box[0] < record.box[2])
        assert record.landmarks is None or len(record.landmarks) == 10
    assert isinstance(reader.cropped, bool)


@pytest.mark.parametrize("name", TREES)
def test_images_open_except_the_broken_ones(name, roots):
    root = roots[name]
    reader = create_reader(root)
    broken = {}
    for record in scan_dataset(reader).records:
        try:
            source = io.BytesIO(reader.image_bytes(record)) if record.container else root / record.image
            with Image.open(source) as image:
                image.load()
        except FileNotFoundError:
            broken[record.image] = "missing"
        except OSError:
            broken[record.image] = "unreadable"
    assert broken == TREES[name].broken


@pytest.mark.parametrize("name", TREES)
def test_result_is_independent_of_the_order_of_files_on_disk(name, roots, tmp_path):
    files = sorted(path for path in roots[name].rglob("*") if path.is_file())
    random.Random(1).shuffle(files)
    copy = tmp_path / roots[name].name
    for file in files:
        place = copy / file.relative_to(roots[name])
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    reader = TREES[name].reader
    empty = {tuple(item.file.split("/")) for item in create_reader(roots[name]).records() if isinstance(item, Skipped)}
    again = list(create_reader(copy, reader).records())
    once = [item for item in create_reader(roots[name]).records()]
    assert [item for item in again if isinstance(item, FaceRecord)] == [i for i in once if isinstance(i, FaceRecord)]
    assert {tuple(item.file.split("/")) for item in again if isinstance(item, Skipped)} == empty


@pytest.mark.parametrize("name", TREES)
def test_all_other_readers_have_a_lower_score(name, roots):
    reader = plugins.load_by_name(plugins.DATASETS, TREES[name].reader)
    scores = {label: plugins.load(point).match_score(roots[name]) for label, point in READERS.items()}
    assert all(score < reader.match_score(roots[name]) for label, score in scores.items() if label != reader.name)


@pytest.mark.parametrize("reader", READERS)
def test_a_folder_without_images_is_an_error(reader, tmp_path):
    kind = plugins.load_by_name(plugins.DATASETS, reader)
    (tmp_path / "notes.txt").write_text("nothing here")
    assert kind.match_score(tmp_path) == 0
    with pytest.raises(InputError):
        scan_dataset(kind(tmp_path))


def test_every_reader_has_a_layout():
    assert {tree.reader for tree in TREES.values()} == {
        name for name, p in READERS.items() if p.value.startswith("facedis.")
    }
