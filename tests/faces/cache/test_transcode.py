import numpy as np
import pytest
from PIL import Image

from facedis.config import AlignConfig
from facedis.errors import ConfigError, OutputError
from facedis.faces.alignment.align_dataset import align
from facedis.faces.alignment.verify import verify_cache
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.transcode import transcode


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A cache of five coloured faces, five grey ones and an unreadable image."""
    folder = tmp_path_factory.mktemp("data") / "happy"
    folder.mkdir()
    for number in range(10):
        y, x = np.mgrid[:64, :64]
        face = np.stack([x * 3 + number, y * 3, (x + y) + 9], axis=2).astype(np.uint8)
        Image.fromarray(face if number % 2 else face[..., 0]).save(folder / f"{number}.png")
    (folder / "text.png").write_text("no image")
    output = tmp_path_factory.mktemp("cache") / "faces.h5"
    align(folder.parent, output, AlignConfig(crop="none"))
    return output


@pytest.mark.parametrize("storage", ["raw", "png", "jpeg"])
def test_everything_but_the_pixels_storage_stays(made, tmp_path, storage):
    result = transcode(made, tmp_path / "p.h5", storage)
    assert (result["kind"], result["rows"], result["storage"]) == ("packing", 11, storage)
    assert (result["before"], result["after"]) == (made.stat().st_size, (tmp_path / "p.h5").stat().st_size)
    with FacesCache.open(made) as old, FacesCache.open(tmp_path / "p.h5") as new:
        assert new.info == old.info
        for name in ("label", "split", "status", "grey", "box", "source", "identity"):
            assert old.column(name).tolist() == new.column(name).tolist() or name == "box"
        difference = np.abs(new.faces(np.arange(11)).astype(int) - old.faces(np.arange(11)))
        assert difference.max() <= (12 if storage == "jpeg" else 0)
        assert (new.checksums is None) == (storage == "jpeg")
    assert [check for check in verify_cache(tmp_path / "p.h5")["checks"] if check["bad"]] == []


def test_files_take_less_room_and_jpeg_least(made, tmp_path):
    sizes = {
        storage: transcode(made, tmp_path / f"{storage}.h5", storage)["after"] for storage in ("raw", "png", "jpeg")
    }
    lower = transcode(made, tmp_path / "low.h5", "jpeg", quality=30)["after"]
    assert lower < sizes["jpeg"] < sizes["raw"]
    assert sizes["png"] < sizes["raw"]


def test_packing_back_gives_the_same_pixels(made, tmp_path):
    transcode(made, tmp_path / "a.h5", "png")
    transcode(tmp_path / "a.h5", tmp_path / "b.h5", "raw")
    with FacesCache.open(made) as old, FacesCache.open(tmp_path / "b.h5") as new:
        assert np.array_equal(old.faces(np.arange(11)), new.faces(np.arange(11)))


def test_what_cannot_be_is_refused(made, tmp_path):
    with pytest.raises(ConfigError, match="cannot be stored as 'zip'"):
        transcode(made, tmp_path / "a.h5", "zip")
    with pytest.raises(ConfigError, match="quality is 0"):
        transcode(made, tmp_path / "a.h5", "jpeg", quality=0)
    with pytest.raises(OutputError, match="is the input file"):
        transcode(made, made, "png")
    assert not list(tmp_path.iterdir())
