import shutil

import numpy as np
import pytest
from PIL import Image

from facedis.config import AlignConfig
from facedis.errors import ConfigError
from facedis.faces.alignment.align_dataset import align
from facedis.faces.alignment.shards import Shard, shard_path
from facedis.faces.alignment.verify import verify_cache
from facedis.faces.cache.transcode import transcode


@pytest.fixture
def root(folder, tmp_path):
    """A copy of the dataset of 30 rows, to be changed."""
    return shutil.copytree(folder, tmp_path / "data")


@pytest.mark.parametrize("config", [AlignConfig(no_face="full-image"), AlignConfig(crop="similarity"), AlignConfig()])
def test_an_image_that_changed_is_named(root, tmp_path, config):
    align(root, tmp_path / "faces.h5", config)
    same = verify_cache(tmp_path / "faces.h5", images=True)
    assert (same["source"], same["changed_images"], same["changed_first"]) == ("same", 0, [])
    Image.new("RGB", (192, 192), "teal").save(root / "03.png")
    (root / "04.png").unlink()
    Image.new("RGB", (120, 90), "teal").save(root / "text.jpg")
    assert verify_cache(tmp_path / "faces.h5")["source"] == "same"  # their names and labels are
    changed = verify_cache(tmp_path / "faces.h5", images=True)
    assert (changed["source"], changed["whole"]) == ("changed", True)
    assert changed["changed_first"] == ["03.png", "04.png", "text.jpg"]


def test_a_shard_and_a_packed_cache_know_their_images_and_jpeg_says_why_not(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "data" / "sad").mkdir(parents=True)
    for number in range(130):
        face = Image.fromarray(rng.integers(1, 255, (16, 16, 3), np.uint8))
        face.save(tmp_path / "data" / "sad" / f"{number:03}.png")
    output = tmp_path / "faces.h5"
    for number in (1, 2):
        align(tmp_path / "data", output, AlignConfig(crop="none"), shard=Shard(number, 2))
    transcode(output, tmp_path / "png.h5", "png")
    transcode(output, tmp_path / "jpeg.h5", "jpeg")
    shutil.copyfile(tmp_path / "data" / "sad" / "001.png", tmp_path / "data" / "sad" / "100.png")
    for path, changed in ((output, 1), (tmp_path / "png.h5", 1), (shard_path(output, Shard(1, 2)), 0)):
        assert verify_cache(path, images=True)["changed_images"] == changed
    assert verify_cache(shard_path(output, Shard(2, 2)), images=True)["changed_first"] == ["sad/100.png"]
    with pytest.raises(ConfigError, match="stored as JPEG"):
        verify_cache(tmp_path / "jpeg.h5", images=True)


def test_a_source_that_is_gone_has_no_images_to_compare(folder, root, tmp_path):
    align(root, tmp_path / "faces.h5", AlignConfig(crop="none", image_size=32))
    shutil.rmtree(root)
    result = verify_cache(tmp_path / "faces.h5", images=True)
    assert (result["source"], result["changed_images"]) == ("absent", None)
