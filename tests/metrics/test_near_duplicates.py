"""The same photograph twice: found through other sizes, cuts and light, and kept out of the probes' way."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from facedis.metrics import near_duplicates as copies
from facedis.metrics.near_duplicates import is_near_duplicate, nearest, thumbnails
from facedis.metrics.probe_splits import ProbeSplit, drop_near_duplicates


def faces(n, size=48, seed=0):
    """(n, size, size, 3) uint8 of patches of light that no two pictures share."""
    coarse = np.random.default_rng(seed).uniform(40, 200, (n, size // 4, size // 4))
    return np.repeat(np.repeat(coarse, 4, 1), 4, 2)[..., None].repeat(3, 3).astype(np.uint8)


def test_brightness_and_contrast_do_not_count():
    plain = faces(3)
    brighter = (plain * 0.7 + 50).astype(np.uint8)
    assert thumbnails(plain).shape == (3, 32, 32)
    assert nearest(thumbnails(plain), thumbnails(brighter))[0] == pytest.approx(np.ones(3), abs=1e-3)
    assert np.isfinite(nearest(thumbnails(np.zeros((1, 50, 50, 3), np.uint8)), thumbnails(plain))[0]).all()


@pytest.mark.parametrize("cut", [(0, 0, 44), (4, 2, 44), (0, 5, 40), (6, 6, 42)])
def test_a_copy_is_found_although_it_was_cut_in_another_way(cut):
    left, top, side = cut
    whole = np.stack([gaussian_filter(face, (8, 8, 0)) for face in faces(8, 48).astype(float)])
    whole = np.rint((whole - whole.min()) / np.ptp(whole) * 255).astype(np.uint8)  # in photographs neighbours are alike
    other = np.asarray(Image.fromarray(whole[3][top : top + side, left : left + side]).resize((48, 48)))
    found, place = nearest(thumbnails(other[None]), thumbnails(whole))
    assert place.tolist() == [3] and found[0] > 0.95


def test_a_copy_is_found_mirrored_and_in_other_light_and_a_stranger_is_not():
    some, others = faces(20), faces(30, seed=1)
    others[4] = some[7][:, ::-1]
    others[9] = (some[2] * 0.8).astype(np.uint8)
    assert np.flatnonzero(is_near_duplicate(thumbnails(some), thumbnails(others))).tolist() == [2, 7]
    assert not is_near_duplicate(thumbnails(some), thumbnails(others)[:0]).any()


def test_it_does_not_matter_in_how_many_pieces_the_others_come(monkeypatch):
    some, others = thumbnails(faces(5)), thumbnails(faces(9, seed=1))
    whole = nearest(some, others)
    monkeypatch.setattr(copies, "_OTHERS", 4)
    found, place = nearest(some, others)
    np.testing.assert_allclose(found, whole[0], rtol=1e-5)
    np.testing.assert_array_equal(place, whole[1])


def test_probes_learn_from_no_picture_that_is_tested_unless_its_person_is_known():
    pictures = faces(60)
    pictures[50] = pictures[3]  # tested, and in P
    pictures[51] = pictures[21]  # tested, and in V
    pictures[22] = pictures[5]  # in V and in P
    pictures[52] = pictures[9]  # tested and in P, but P knows who it is
    rows = np.arange(60)
    names = np.full(60, "")
    names[9] = "Ada"
    parts = ProbeSplit(rows[:20], rows[20:40], rows[40:], rows[40:], False, 0)
    found = drop_near_duplicates(parts, thumbnails(pictures), names)
    assert set(parts.probe_train) - set(found.probe_train) == {3, 5}
    assert set(parts.probe_val) - set(found.probe_val) == {21}
    assert found.near_duplicates == 3 and found.probe_test is parts.probe_test
