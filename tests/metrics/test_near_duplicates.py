import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from facedis.metrics import near_duplicates
from facedis.metrics.near_duplicates import is_near_duplicate, nearest, thumbnails
from facedis.metrics.probe_splits import ProbeSplit, drop_near_duplicates


def faces(n, size=48, seed=0):
    """(n, size, size, 3) uint8 of random patches."""
    coarse = np.random.default_rng(seed).uniform(40, 200, (n, size // 4, size // 4))
    return np.repeat(np.repeat(coarse, 4, 1), 4, 2)[..., None].repeat(3, 3).astype(np.uint8)


def test_correlation_is_invariant_to_brightness_and_contrast():
    original = faces(3)
    brighter = (original * 0.7 + 50).astype(np.uint8)
    assert thumbnails(original).shape == (3, 32, 32)
    assert nearest(thumbnails(original), thumbnails(brighter))[0] == pytest.approx(np.ones(3), abs=1e-3)
    assert np.isfinite(nearest(thumbnails(np.zeros((1, 50, 50, 3), np.uint8)), thumbnails(original))[0]).all()


@pytest.mark.parametrize("crop", [(0, 0, 44), (4, 2, 44), (0, 5, 40), (6, 6, 42)])
def test_another_crop_is_a_near_duplicate(crop):
    left, top, side = crop
    whole = np.stack([gaussian_filter(face, (8, 8, 0)) for face in faces(8, 48).astype(float)])
    whole = np.rint((whole - whole.min()) / np.ptp(whole) * 255).astype(np.uint8)  # smooth as photographs are
    other = np.asarray(Image.fromarray(whole[3][top : top + side, left : left + side]).resize((48, 48)))
    correlation, index = nearest(thumbnails(other[None]), thumbnails(whole))
    assert index.tolist() == [3] and correlation[0] > 0.95


def test_mirrored_and_darkened_images_are_near_duplicates_and_others_are_not():
    queries, references = faces(20), faces(30, seed=1)
    references[4] = queries[7][:, ::-1]
    references[9] = (queries[2] * 0.8).astype(np.uint8)
    assert np.flatnonzero(is_near_duplicate(thumbnails(queries), thumbnails(references))).tolist() == [2, 7]
    assert not is_near_duplicate(thumbnails(queries), thumbnails(references)[:0]).any()


def test_block_size_does_not_change_the_result(monkeypatch):
    queries, references = thumbnails(faces(5)), thumbnails(faces(9, seed=1))
    whole = nearest(queries, references)
    monkeypatch.setattr(near_duplicates, "_REFERENCE_BLOCK", 4)
    correlation, index = nearest(queries, references)
    np.testing.assert_allclose(correlation, whole[0], rtol=1e-5)
    np.testing.assert_array_equal(index, whole[1])


def test_near_duplicates_of_unknown_people_are_dropped():
    images = faces(60)
    images[50] = images[3]  # Q and P
    images[51] = images[21]  # Q and V
    images[22] = images[5]  # V and P
    images[52] = images[9]  # Q and P, but of a known person
    rows = np.arange(60)
    identities = np.full(60, "")
    identities[9] = "Ada"
    split = ProbeSplit(rows[:20], rows[20:40], rows[40:], rows[40:], False, 0)
    kept = drop_near_duplicates(split, thumbnails(images), identities)
    assert set(split.probe_train) - set(kept.probe_train) == {3, 5}
    assert set(split.probe_val) - set(kept.probe_val) == {21}
    assert kept.near_duplicates == 3 and kept.probe_test is split.probe_test
