import pytest

from facedis.datasets.record import FaceRecord
from facedis.errors import CacheError
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.cache_format import partial_path
from facedis.faces.cache.cache_writer import CacheWriter
from facedis.faces.cache.summary import summarise_cache
from tests.conftest import CLASSES


def test_the_numbers_are_those_of_the_cache(pattern_cache):
    result = summarise_cache(pattern_cache)
    assert (result["kind"], result["rows"], result["n"], result["identities"]) == ("faces", 72, 72, 12)
    assert result["status"] == {"ok": 72}
    assert result["splits"]["train"] == dict.fromkeys(CLASSES, 12)
    assert result["people_in"] == {"train": 6, "val": 3, "test": 3}
    assert result["bytes"] == pattern_cache.stat().st_size
    assert (result["size"], result["crop"], result["grey"]) == (32, "box", False)


def test_an_unfinished_cache_can_be_looked_at(pattern_cache, tmp_path):
    with FacesCache.open(pattern_cache) as cache:
        info = cache.info
    CacheWriter.create(tmp_path / "faces.h5", info, [FaceRecord("a.png", "anger", "Ann")], ["train"])
    result = summarise_cache(partial_path(tmp_path / "faces.h5"))
    assert (result["rows"], result["n"], result["status"]) == (1, 0, {"pending": 1})


def test_what_is_no_cache_is_refused(tmp_path):
    (tmp_path / "a.h5").write_text("text")
    with pytest.raises(CacheError):
        summarise_cache(tmp_path / "a.h5")
