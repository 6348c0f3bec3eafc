import numpy as np
import pytest

from facedis.metrics.generation.image_quality import kid, psnr, ssim
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.metrics.statistics.pair_groups import PairGroups

BOOTSTRAP = Bootstrap(n_resamples=200, seed=1)


def image_and_noisy_copy(generator, size, noise):
    """An image of waves, and the same image with noise."""
    y, x = np.mgrid[:size, :size]
    waves = np.stack([128 + 100 * np.sin(x / 5), 128 + 100 * np.cos(y / 7), 128 + 60 * np.sin((x + y) / 9)], axis=2)
    noisy = waves + generator.normal(0, noise, waves.shape)
    return tuple(values.round().clip(0, 255).astype(np.uint8)[None] for values in (waves, noisy))


def test_psnr_and_ssim_equal_scikit_image():
    # structural_similarity(..., channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    # data_range=255) and peak_signal_noise_ratio(..., data_range=255) of scikit-image 0.26.
    expected = {
        (32, 5): (0.9155889702337583, 34.18381349654395),
        (48, 30): (0.35087965975873664, 18.912956228069763),
        (64, 90): (0.07965904472374107, 11.005110308497112),
        (11, 12): (0.6823018486092396, 26.254431228515827),
    }
    generator = np.random.default_rng(7)
    for (size, noise), values in expected.items():
        images = image_and_noisy_copy(generator, size, noise)
        assert (ssim(*images)[0], psnr(*images)[0]) == pytest.approx(values, abs=1e-9)


def test_ssim_of_a_single_window_equals_the_definition():
    x, y = image_and_noisy_copy(np.random.default_rng(0), 11, 40)
    steps = np.arange(-5, 6)
    window = np.exp(-(steps[:, None] ** 2 + steps[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    slow = []
    for channel in range(3):
        a, b = x[0, :, :, channel].astype(float), y[0, :, :, channel].astype(float)
        mean_a, mean_b = (window * a).sum(), (window * b).sum()
        var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
        both = (window * (a - mean_a) * (b - mean_b)).sum()
        c1, c2 = 2.55**2, 7.65**2
        top = (2 * mean_a * mean_b + c1) * (2 * both + c2)
        slow.append(top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)))
    assert ssim(x, y)[0] == pytest.approx(np.mean(slow), abs=1e-9)


def test_psnr_and_ssim_of_equal_images():
    x, _ = image_and_noisy_copy(np.random.default_rng(0), 20, 1)
    assert ssim(x, x)[0] == pytest.approx(1) and psnr(x, x)[0] == pytest.approx(10 * np.log10(255**2 * 12))


def test_each_image_is_compared_with_its_own_reference():
    generator = np.random.default_rng(2)
    pairs = [image_and_noisy_copy(generator, 16, noise) for noise in np.linspace(1, 60, 70)]
    x, y = (np.concatenate(side) for side in zip(*pairs, strict=True))
    assert ssim(x, y) == pytest.approx([ssim(*pair)[0] for pair in pairs])
    assert psnr(x, y) == pytest.approx([psnr(*pair)[0] for pair in pairs])


def slow_kid(x, y):
    def k(a, b):
        return (a @ b / len(a) + 1) ** 3

    def within(z):
        return np.mean([k(z[i], z[j]) for i in range(len(z)) for j in range(len(z)) if i != j])

    return within(x) + within(y) - 2 * np.mean([k(a, b) for a in x for b in y])


def test_kid_equals_a_sum_over_pairs():
    generator = np.random.default_rng(3)
    x, y = generator.normal(0, 1, (9, 4)), generator.normal(0.5, 2, (7, 4))
    people = np.arange(9) % 3
    estimate = kid(x, y, PairGroups(people, people), np.arange(7) % 3, BOOTSTRAP)
    assert estimate.value == pytest.approx(slow_kid(x, y))
    assert estimate.low < estimate.value < estimate.high and (estimate.n, estimate.chance) == (9, 0.0)


def test_kid_of_equal_distributions_is_zero_on_average():
    generator = np.random.default_rng(4)
    alone = PairGroups(np.arange(20), np.arange(20))

    def kid_of_shift(shift):
        x, y = generator.normal(0, 1, (20, 3)), generator.normal(shift, 1, (20, 3))
        return kid(x, y, alone, np.arange(20), Bootstrap(n_resamples=2)).value

    same, other = [kid_of_shift(0) for _ in range(300)], [kid_of_shift(1) for _ in range(30)]
    assert abs(np.mean(same)) < 4 * np.std(same) / np.sqrt(300)
    assert np.mean(other) > 20 * abs(np.mean(same))


def test_kid_of_a_single_image_or_person():
    one = PairGroups(np.zeros(1, int), np.zeros(1, int))
    assert np.isnan(kid(np.ones((1, 3)), np.ones((5, 3)), one, np.arange(5), BOOTSTRAP).value)
    estimate = kid(np.eye(3), np.eye(3), PairGroups(np.zeros(3, int), np.zeros(3, int)), np.zeros(3, int), BOOTSTRAP)
    assert estimate.low is None and np.isfinite(estimate.value)
    couple = PairGroups(np.array([0, 1, 0]), np.array([1, 0, 1]))
    assert kid(np.eye(3), np.eye(3), couple, np.arange(3), BOOTSTRAP).low is None
