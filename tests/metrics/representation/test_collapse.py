import numpy as np
import pytest

from facedis.metrics.representation.collapse import collapse, dead_share, effective_rank, mean_cosine
from facedis.metrics.statistics.intervals import Bootstrap

BOOTSTRAP = Bootstrap(n_resamples=200)
NOISE = np.random.default_rng(0).normal(size=(4000, 8))


def strangers(n: int) -> np.ndarray:
    return np.array([""] * n)


@pytest.mark.parametrize("constant", [0.0, 0.1, -3e4, 1e-20])
def test_constant_code_has_all_indicators_of_collapse(constant):
    codes = np.full((50, 6), constant, np.float32)
    signs = collapse(codes, strangers(50), BOOTSTRAP)
    assert signs["effective_rank"].value == 0
    assert signs["dead_share"].value == 1
    assert signs["mean_cosine"].value == pytest.approx(1)
    assert signs["total_variance"].value == 0


def test_rounding_is_not_variance():
    codes = np.full((50, 6), 0.37, np.float32)
    codes[::2] = np.nextafter(codes[::2], np.float32(1))
    assert effective_rank(codes) == 0 and dead_share(codes) == 1


def test_isotropic_code_has_full_rank_and_cosine_near_zero():
    assert effective_rank(NOISE) == pytest.approx(8, abs=0.05)
    assert dead_share(NOISE) == 0
    estimate = mean_cosine(NOISE, strangers(4000), BOOTSTRAP)
    assert estimate.value == pytest.approx(0, abs=0.01)
    assert estimate.low <= estimate.value <= estimate.high


def test_effective_rank_of_known_spectra():
    line = np.linspace(-1, 1, 100)[:, None] * np.array([[1.0, 2.0, -3.0]])
    assert effective_rank(line) == pytest.approx(1)
    corners = np.array([[3.0, 0], [-3, 0], [0, 1], [0, -1]])  # variances 9 : 1
    assert effective_rank(corners) == pytest.approx(np.exp(-(0.9 * np.log(0.9) + 0.1 * np.log(0.1))))


def test_rank_of_more_dimensions_than_images():
    wide = NOISE[:20]
    padded = np.concatenate([wide, np.zeros((20, 100))], axis=1)
    rotated = padded @ np.linalg.qr(np.random.default_rng(1).normal(size=(108, 108)))[0]
    assert effective_rank(rotated) == pytest.approx(effective_rank(wide))


def test_rank_is_invariant_to_shift_scale_and_rotation():
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(8, 8)))[0]
    stretched = NOISE * np.arange(1, 9)
    assert effective_rank(stretched @ turn * 50 + 7) == pytest.approx(effective_rank(stretched))


def test_dead_share_counts_dead_dimensions():
    codes = NOISE.copy()
    codes[:, 0] = 5
    codes[:, 1] *= 1e-5
    assert dead_share(codes) == 0.25
    codes[:, 1:6] = 0  # more than half: the median itself is 0
    assert dead_share(codes) == 0.75


def test_mean_cosine_equals_the_mean_over_all_pairs():
    codes = NOISE[:30] + 1
    units = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    expected = (units @ units.T)[~np.eye(30, dtype=bool)].mean()
    estimate = mean_cosine(codes, strangers(30), BOOTSTRAP)
    assert estimate.value == pytest.approx(expected)
    assert estimate.low < expected < estimate.high


def test_repetitions_in_resamples_do_not_raise_the_cosine():
    few = mean_cosine(NOISE[:40], strangers(40), Bootstrap(n_resamples=1000))
    assert (few.low + few.high) / 2 == pytest.approx(few.value, abs=0.01)


def test_single_image_has_no_cosine():
    assert np.isnan(mean_cosine(NOISE[:1], strangers(1), BOOTSTRAP).value)
