import numpy as np
import pytest
from PIL import Image

from facedis.config import AlignConfig
from facedis.errors import ConfigError
from facedis.faces.alignment.align_dataset import align
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.contact_sheet import CAPTION, GAP, TILE, contact_sheet
from facedis.faces.cropping.crop import resize_image


def tile(picture, line, place):
    top, left = GAP + line * (TILE + GAP), CAPTION + GAP + place * (TILE + GAP)
    return picture[top : top + TILE, left : left + TILE]


def test_a_row_for_each_expression_with_its_own_faces(pattern_cache):
    picture = contact_sheet(pattern_cache, each=5)
    assert picture.dtype == np.uint8
    assert picture.shape == (3 * (TILE + GAP) + GAP, CAPTION + 5 * (TILE + GAP) + GAP, 3)
    with FacesCache.open(pattern_cache) as cache:
        for line in range(3):
            known = [resize_image(face, TILE) for face in cache.faces(np.flatnonzero(cache.labels == line))]
            for place in range(5):
                assert any(np.array_equal(tile(picture, line, place), face) for face in known)


def test_the_seed_draws_and_the_split_chooses(pattern_cache):
    first = contact_sheet(pattern_cache, each=3)
    assert np.array_equal(first, contact_sheet(pattern_cache, each=3))
    assert not np.array_equal(first, contact_sheet(pattern_cache, each=3, seed=1))
    assert contact_sheet(pattern_cache, each=99, split="val").shape[1] == CAPTION + 6 * (TILE + GAP) + GAP


def test_rows_without_a_face_show_their_image_where_it_can_be_read(tmp_path):
    folder = tmp_path / "data" / "happy"
    folder.mkdir(parents=True)
    Image.new("RGB", (40, 40), (200, 10, 10)).save(folder / "a.png")
    Image.new("RGB", (9, 9)).save(folder / "small.png")
    (folder / "text.png").write_text("no image")
    align(tmp_path / "data", tmp_path / "faces.h5", AlignConfig(crop="none", image_size=40))
    picture = contact_sheet(tmp_path / "faces.h5", by="status")
    assert picture.shape[0] == 3 * (TILE + GAP) + GAP  # ok, unreadable, too_small
    assert (tile(picture, 0, 0) == (200, 10, 10)).all()
    assert (tile(picture, 1, 0) == 232).all()


@pytest.mark.parametrize(
    ("wish", "line"),
    [
        ({"by": "people"}, "no contact sheet by 'people'; choose one of: expression, status"),
        ({"each": 0}, "give at least 1"),
        ({"split": "holdout"}, "no row in the split 'holdout'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(pattern_cache, wish, line):
    with pytest.raises(ConfigError, match=line):
        contact_sheet(pattern_cache, **wish)
