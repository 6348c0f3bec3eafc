import numpy as np
import pytest

from facedis.metrics.representation.collapse import collapse, dead_share, effective_rank, mean_cosine
from facedis.metrics.statistics.intervals import Bootstrap

PLAN = Bootstrap(n_resamples=200)
NOISE = np.random.default_rng(0).normal(size=(4000, 8))


def strangers(n: int) -> np.ndarray:
    return np.array([""] * n)


@pytest.mark.parametrize("constant", [0.0, 0.1, -3e4, 1e-20])
def test_a_constant_code_shows_all_signs(constant):
    codes = np.full((50, 6), constant, np.float32)
    signs = collapse(codes, strangers(50), PLAN)
    assert signs["effective_rank"].value == 0
    assert signs["dead_share"].value == 1
    assert signs["mean_cosine"].value == pytest.approx(1)
    assert signs["total_variance"].value == 0


def test_a_constant_code_with_rounding_is_still_constant():
    codes = np.full((50, 6), 0.37, np.float32)
    codes[::2] = np.nextafter(codes[::2], np.float32(1))
    assert effective_rank(codes) == 0 and dead_share(codes) == 1


def test_an_even_code_uses_all_its_numbers():
    assert effective_rank(NOISE) == pytest.approx(8, abs=0.05)
    assert dead_share(NOISE) == 0
    figure = mean_cosine(NOISE, strangers(4000), PLAN)
    assert figure.value == pytest.approx(0, abs=0.01)
    assert figure.low <= figure.value <= figure.high


def test_effective_rank_of_known_spectra():
    line = np.linspace(-1, 1, 100)[:, None] * np.array([[1.0, 2.0, -3.0]])
    assert effective_rank(line) == pytest.approx(1)
    corners = np.array([[3.0, 0], [-3, 0], [0, 1], [0, -1]])  # variances 9 : 1
    assert effective_rank(corners) == pytest.approx(np.exp(-(0.9 * np.log(0.9) + 0.1 * np.log(0.1))))


def test_more_numbers_than_images_gives_the_same_rank():
    wide = NOISE[:20]
    padded = np.concatenate([wide, np.zeros((20, 100))], axis=1)
    rotated = padded @ np.linalg.qr(np.random.default_rng(1).normal(size=(108, 108)))[0]
    assert effective_rank(rotated) == pytest.approx(effective_rank(wide))


def test_neither_shift_nor_scale_nor_rotation_changes_the_rank():
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(8, 8)))[0]
    stretched = NOISE * np.arange(1, 9)
    assert effective_rank(stretched @ turn * 50 + 7) == pytest.approx(effective_rank(stretched))


def test_dead_numbers_are_counted():
    codes = NOISE.copy()
    codes[:, 0] = 5
    codes[:, 1] *= 1e-5
    assert dead_share(codes) == 0.25
    codes[:, 1:6] = 0  # more than half: the median itself is 0, the two others live
    assert dead_share(codes) == 0.75


def test_the_mean_cosine_is_that_of_all_pairs_of_different_images():
    codes = NOISE[:30] + 1
    units = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    expected = (units @ units.T)[~np.eye(30, dtype=bool)].mean()
    figure = mean_cosine(codes, strangers(30), PLAN)
    assert figure.value == pytest.approx(expected)
    assert figure.low < expected < figure.high


def test_resampled_copies_do_not_raise_the_cosine():
    few = mean_cosine(NOISE[:40], strangers(40), Bootstrap(n_resamples=1000))
    assert (few.low + few.high) / 2 == pytest.approx(few.value, abs=0.01)


def test_a_single_image_has_no_cosine():
    assert np.isnan(mean_cosine(NOISE[:1], strangers(1), PLAN).value)
