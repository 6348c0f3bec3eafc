import shutil

import h5py
import numpy as np
import pytest

from facedis.errors import CacheError
from facedis.faces.alignment.shards import join_shards
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.pixel_storage import JoinedFaces, storage_format
from facedis.faces.cache.transcode import transcode

ROWS = np.array([5, 71, 0, 5, 36, 35])


def faces(path, rows=ROWS):
    with FacesCache.open(path) as cache:
        return cache.faces(rows)


@pytest.fixture
def shards(pattern_cache, tmp_path):
    """Two copies of the cache as shards."""
    return [shutil.copyfile(pattern_cache, tmp_path / name) for name in ("a.h5", "b.h5")]


def test_any_rows_in_any_order_from_every_storage(pattern_cache, tmp_path):
    whole = faces(pattern_cache)
    for storage in ("raw", "png"):
        transcode(pattern_cache, tmp_path / f"{storage}.h5", storage)
        assert np.array_equal(faces(tmp_path / f"{storage}.h5"), whole)
    transcode(pattern_cache, tmp_path / "jpeg.h5", "jpeg")
    error = np.abs(faces(tmp_path / "jpeg.h5").astype(int) - whole)
    assert 0 < error.mean() < 8
    with h5py.File(tmp_path / "jpeg.h5") as file:
        assert storage_format(file) == "jpeg"


def test_a_joined_cache_reads_its_shards(pattern_cache, shards, tmp_path):
    join_shards(tmp_path / "all.h5", shards, "joined")
    rows = np.array([143, 0, 72, 71, 100, 0])
    assert np.array_equal(faces(tmp_path / "all.h5", rows), faces(pattern_cache, rows % 72))
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in [*shards, tmp_path / "all.h5"]:
        shutil.move(path, moved)
    assert np.array_equal(faces(moved / "all.h5", rows), faces(pattern_cache, rows % 72))


def test_a_shard_that_is_gone_or_another_one_is_one_clear_error(shards, tmp_path):
    join_shards(tmp_path / "all.h5", shards, "joined")
    with h5py.File(shards[1], "r+") as file:
        del file["face"]
        file["face"] = np.zeros((3, 32, 32, 3), np.uint8)
    with pytest.raises(CacheError, match=r"b\.h5 has changed since it was joined"):
        FacesCache.open(tmp_path / "all.h5")
    shards[1].unlink()
    with pytest.raises(CacheError, match=r"b\.h5, a shard of .*all\.h5, cannot be read"):
        FacesCache.open(tmp_path / "all.h5")


def test_parts_are_found_at_their_borders():
    parts = [np.full((n, 1, 1, 3), n, np.uint8) for n in (2, 1, 3)]
    assert JoinedFaces(parts)[np.array([5, 2, 1, 3, 0])][:, 0, 0, 0].tolist() == [3, 1, 2, 3, 2]
