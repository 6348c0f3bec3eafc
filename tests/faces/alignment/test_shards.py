import numpy as np
import pytest
from PIL import Image

from facedis.config import AlignConfig
from facedis.errors import CacheError, ConfigError, OutputError
from facedis.faces.alignment.align_dataset import align
from facedis.faces.alignment.plan import make_plan
from facedis.faces.alignment.shards import Shard, join_shards, parse_shard, shard_path, shard_plan
from facedis.faces.alignment.verify import verify_cache
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.cache_format import read_info
from facedis.faces.cache.transcode import transcode

CONFIG = AlignConfig(crop="none")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """150 images in two classes."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(2)
    for number in range(150):
        folder = root / ("happy", "sad")[number % 2]
        folder.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(1, 255, (20, 20, 3), np.uint8)).save(folder / f"{number:03}.png")
    return root


@pytest.fixture(scope="module")
def whole(root, tmp_path_factory):
    output = tmp_path_factory.mktemp("whole") / "faces.h5"
    align(root, output, CONFIG)
    return output


def same(first, second):
    with FacesCache.open(first) as one, FacesCache.open(second) as two:
        assert one.info == two.info
        rows = np.arange(len(one))
        assert np.array_equal(one.faces(rows), two.faces(rows))
        for name in ("label", "split", "status", "grey", "source", "identity", "dataset"):
            assert one.column(name).tolist() == two.column(name).tolist()
        assert one.column("label").dtype == two.column("label").dtype


def test_the_last_shard_joins_and_the_whole_equals_an_unshared_alignment(root, whole, tmp_path):
    output = tmp_path / "faces.h5"
    first = align(root, output, CONFIG, shard=Shard(2, 2))
    assert first.output == str(tmp_path / "faces.2-of-2.h5") and not output.exists()
    last = align(root, output, CONFIG, shard=Shard(1, 2))
    assert (last.output, last.rows) == (str(output), 150)
    same(output, whole)
    assert output.stat().st_size < 100_000  # pointers, no pixels
    assert verify_cache(output)["whole"] and verify_cache(output)["source"] == "same"
    assert align(root, output, CONFIG).rate is None  # complete already, without shards too


def test_a_joined_cache_can_be_packed_into_one_file(root, whole, tmp_path):
    for number in (1, 2):
        align(root, tmp_path / "faces.h5", CONFIG, shard=Shard(number, 2))
    transcode(tmp_path / "faces.h5", tmp_path / "one.h5", "raw")
    for number in (1, 2):
        shard_path(tmp_path / "faces.h5", Shard(number, 2)).unlink()
    same(tmp_path / "one.h5", whole)


def test_shards_share_all_rows_and_begin_where_batches_do(root):
    plan = make_plan(root, CONFIG)
    parts = [shard_plan(plan, Shard(number, 2)) for number in (1, 2)]
    assert [record for part in parts for record in part.records] == list(plan.records)
    assert [len(part.records) for part in parts] == [64, 86]
    assert len({part.info.fingerprint for part in parts} | {plan.info.fingerprint}) == 3
    with pytest.raises(ConfigError, match="150 images are too few for 3 shards"):
        shard_plan(plan, Shard(1, 3))


def test_shards_of_another_alignment_are_not_joined(root, tmp_path):
    output = tmp_path / "faces.h5"
    align(root, output, CONFIG, shard=Shard(1, 2))
    align(root, output, AlignConfig(crop="none", image_size=24), shard=Shard(2, 2))
    assert not output.exists()
    with pytest.raises(OutputError, match=r"faces.2-of-2.h5 exists already"):
        align(root, output, CONFIG, shard=Shard(2, 2))


def test_another_cache_is_not_overwritten_by_joining(root, whole, tmp_path):
    output = tmp_path / "faces.h5"
    align(root, output, AlignConfig(crop="none", image_size=24))
    with pytest.raises(OutputError, match=r"faces.h5 exists already"):
        align(root, output, CONFIG, shard=Shard(1, 2))
    assert [path.name for path in tmp_path.iterdir()] == ["faces.h5"]
    for number in (1, 2):
        align(root, output, CONFIG, overwrite=True, shard=Shard(number, 2))
    same(output, whole)


def test_an_interrupted_join_is_made_up_for(root, whole, tmp_path):
    output = tmp_path / "faces.h5"
    for number in (1, 2):
        align(root, output, CONFIG, shard=Shard(number, 2))
    output.unlink()
    align(root, output, CONFIG, shard=Shard(1, 2))
    same(output, whole)


def test_packed_shards_are_not_joined(whole, tmp_path):
    transcode(whole, tmp_path / "a.h5", "png")
    with pytest.raises(CacheError, match="only raw shards can be joined"):
        join_shards(tmp_path / "all.h5", [tmp_path / "a.h5"], "joined")
    assert not (tmp_path / "all.h5").exists()


def test_a_shard_is_written_or_comes_from_torchrun():
    assert parse_shard("2/4") == Shard(2, 4)
    assert parse_shard("auto", {"RANK": "0", "WORLD_SIZE": "3"}) == Shard(1, 3)
    for text in ("", "4", "0/4", "5/4", "a/b", "1/0"):
        with pytest.raises(ConfigError, match="is not a shard"):
            parse_shard(text)
    with pytest.raises(ConfigError, match="RANK and WORLD_SIZE"):
        parse_shard("auto", {})


def test_a_joined_cache_keeps_the_fingerprint_of_the_whole(root, whole, tmp_path):
    for number in (1, 2):
        align(root, tmp_path / "faces.h5", CONFIG, shard=Shard(number, 2))
    assert read_info(tmp_path / "faces.h5").fingerprint == read_info(whole).fingerprint
