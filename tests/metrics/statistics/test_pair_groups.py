import numpy as np
import pytest

from facedis.metrics.statistics.intervals import Bootstrap, wilson_ci
from facedis.metrics.statistics.pair_groups import PairGroups

BOOTSTRAP = Bootstrap(n_resamples=300, seed=1)


def random_groups(n=200, people=8):
    generator = np.random.default_rng(0)
    return PairGroups(generator.integers(0, people, n), generator.integers(0, people, n))


def test_weight_of_a_pair_is_the_product_of_its_groups_weights():
    groups = PairGroups(np.array([0, 0, 1, 2]), np.array([1, 0, 2, 2]))
    assert groups.weights(np.array([[2.0, 3.0, 0.0]])).tolist() == [[6, 2, 0, 0]]
    assert groups.weights(np.array([2.0, 3.0, 0.0])).tolist() == [6, 2, 0, 0]


def test_mean_ci_equals_a_slow_bootstrap_over_people():
    groups = random_groups(40, 5)
    values = np.random.default_rng(2).normal(size=40)
    estimate = groups.mean_ci(values, BOOTSTRAP)
    generator, means = np.random.default_rng(9), []
    for _ in range(4000):
        counts = np.bincount(generator.integers(0, 5, 5), minlength=5)
        pairs = zip(groups.first, groups.second, strict=True)
        weight = np.array([counts[a] * (counts[b] if a != b else 1) for a, b in pairs])
        if weight.sum():
            means.append((weight * values).sum() / weight.sum())
    low, high = np.quantile(means, (0.025, 0.975))
    assert estimate.value == pytest.approx(values.mean()) and estimate.n == 40
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=0.12)


def test_interval_over_people_is_wider_than_one_over_pairs():
    groups = random_groups()
    person = np.random.default_rng(1).normal(size=8)
    estimate = groups.mean_ci(person[groups.first] + person[groups.second], BOOTSTRAP)
    assert estimate.high - estimate.low > 4 * 1.96 * np.std(person) / np.sqrt(200)


def test_unanimous_hits_have_wilsons_interval_for_the_number_of_people():
    estimate = random_groups().proportion_ci(np.ones(200, bool), BOOTSTRAP, 0.5)
    expected = wilson_ci(8, 8, 0.5)
    assert (estimate.value, estimate.low, estimate.n, estimate.chance) == (1, expected.low, 200, 0.5)


def test_one_or_two_people_have_no_interval_and_no_pairs_no_value():
    assert PairGroups(np.zeros(5, int), np.zeros(5, int)).mean_ci(np.arange(5.0), BOOTSTRAP).low is None
    two = PairGroups(np.array([0, 1, 0]), np.array([1, 0, 1]))  # all resamples that contain a pair are equal
    assert two.mean_ci(np.arange(3.0), BOOTSTRAP).low is None
    assert PairGroups(np.array([0, 1, 0]), np.array([1, 2, 2])).mean_ci(np.arange(3.0), BOOTSTRAP).low is not None
    none = np.empty(0, int)
    assert np.isnan(PairGroups(none, none).proportion_ci(np.empty(0, bool), BOOTSTRAP).value)
