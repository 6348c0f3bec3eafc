import shutil

import h5py
import numpy as np
import pytest
from PIL import Image

from facedis.config import AlignConfig
from facedis.errors import CacheError
from facedis.faces.alignment.align_dataset import align
from facedis.faces.alignment.verify import verify_cache
from facedis.faces.cache.cache_format import STATUSES


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    root = tmp_path_factory.mktemp("source")
    rng = np.random.default_rng(1)
    for number in range(6):
        folder = root / ("happy", "sad")[number % 2]
        folder.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(1, 255, (32, 32, 3), np.uint8)).save(folder / f"{number}.png")
    (root / "sad" / "broken.png").write_text("no image")
    return root


@pytest.fixture(scope="module")
def made(source, tmp_path_factory):
    output = tmp_path_factory.mktemp("made") / "faces.h5"
    align(source, output, AlignConfig(crop="none"))
    return output


@pytest.fixture
def cache(made, tmp_path):
    return shutil.copyfile(made, tmp_path / "faces.h5")


def bad(path):
    return {check["what"]: check["bad"] for check in verify_cache(path)["checks"] if check["bad"]}


def test_a_whole_cache_passes_and_knows_its_source(cache):
    events = []
    result = verify_cache(cache, events.append)
    assert (result["kind"], result["rows"], result["whole"], result["source"]) == ("verification", 7, True, "same")
    assert bad(cache) == {}
    assert events[0].kind == "start" and events[-1].done == 7


@pytest.mark.parametrize(
    ("column", "row", "value", "what"),
    [
        ("status", 0, STATUSES.index("pending"), "no row is pending"),
        ("label", 1, 7, "labels are classes"),
        ("label", 1, -2, "labels are classes"),
        ("split", 2, 4, "splits are known"),
        ("source", 1, "happy/0.png", "each image is one row"),
        ("box", 0, [5, 5, 5, 9], "boxes have an area"),
        ("box", 6, [1, 1, 5, 9], "only rows with a face have a box"),
        ("probability", 0, 1.5, "probabilities lie between 0 and 1"),
        ("face", 0, 0, "pixels are those that were written"),
        ("checksum", 0, 5, "pixels are those that were written"),
        ("face", 6, 9, "rows without a face have no pixels"),
        ("grey", 3, True, "faces marked grey are grey, and no others"),
    ],
)
def test_each_kind_of_damage_is_found(cache, column, row, value, what):
    with h5py.File(cache, "r+") as file:
        file[column][row] = value
    if column == "split":  # no such split has a name
        with pytest.raises(CacheError, match="broken faces cache"):
            verify_cache(cache)
        return
    assert bad(cache)[what] == 1


def test_a_black_picture_of_the_dataset_is_no_damage(tmp_path):
    (tmp_path / "happy").mkdir()
    for number, colour in enumerate(("black", "teal")):
        Image.new("RGB", (32, 32), colour).save(tmp_path / "happy" / f"{number}.png")
    align(tmp_path, tmp_path / "faces.h5", AlignConfig(crop="none"))
    assert verify_cache(tmp_path / "faces.h5")["whole"]


def test_detected_faces_need_a_box(cache):
    with h5py.File(cache, "r+") as file:
        file.attrs["detector"] = "mtcnn"
    assert bad(cache) == {"detected faces have a box": 6}


def test_a_truncated_file_is_one_clear_error(cache):
    content = cache.read_bytes()
    cache.write_bytes(content[: len(content) // 2])
    with pytest.raises(CacheError, match="not a readable faces cache"):
        verify_cache(cache)


def test_a_source_that_changed_or_went_is_told(source, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(source, root)
    align(root, tmp_path / "faces.h5", AlignConfig(crop="none"))
    (root / "sad" / "broken.png").unlink()
    assert verify_cache(tmp_path / "faces.h5")["source"] == "changed"
    shutil.rmtree(root)
    assert verify_cache(tmp_path / "faces.h5")["source"] == "absent"
    root.mkdir()
    assert verify_cache(tmp_path / "faces.h5")["source"] == "changed"
