import numpy as np
import pytest
from scipy.stats import binomtest

from facedis.metrics.statistics.intervals import (
    Bootstrap,
    are_independent,
    bootstrap_ci,
    bootstrap_weights,
    group_ids,
    mean_ci,
    proportion_ci,
    wilson_ci,
)

BOOTSTRAP = Bootstrap(n_resamples=400, seed=3)
UNKNOWN = np.array([""] * 50)


def test_wilson_ci_of_the_papers_accuracy():
    estimate = wilson_ci(0.6053 * 3500, 3500, chance=1 / 7)
    assert (round(100 * estimate.low, 2), round(100 * estimate.high, 2)) == (58.90, 62.14)
    assert estimate.n == 3500 and estimate.chance == 1 / 7


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (0, 20), (20, 20), (7, 13), (560, 3500)])
def test_wilson_ci_equals_scipy(hits, n):
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    estimate = wilson_ci(hits, n)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
        (hits / n, expected.low, expected.high), abs=1e-12
    )


def test_wilson_ci_without_images_is_nan():
    estimate = wilson_ci(0, 0)
    assert np.isnan(estimate.value) and estimate.low is None and estimate.n == 0


def test_each_unknown_person_is_a_group():
    groups = group_ids(np.array(["", "b", "", "a", "b"]))
    assert groups[1] == groups[4]
    assert len(set(groups.tolist())) == 4 and groups.max() == 3


def test_are_independent_without_repeated_people():
    assert are_independent(np.array(["", "", "a"]))
    assert not are_independent(np.array(["a", "", "a"]))


def test_bootstrap_weights_sum_to_the_number_of_groups_and_depend_on_the_seed():
    weights = np.concatenate(list(bootstrap_weights(30, BOOTSTRAP)))
    assert weights.shape == (400, 30)
    assert (weights.sum(axis=1) == 30).all()
    assert (weights == np.concatenate(list(bootstrap_weights(30, BOOTSTRAP)))).all()
    assert (weights != np.concatenate(list(bootstrap_weights(30, Bootstrap(n_resamples=400, seed=4))))).any()
    assert weights.mean(axis=0) == pytest.approx(np.ones(30), abs=0.25)


def test_proportion_ci_is_wilson_ci_for_independent_images_only():
    hits = np.arange(50) < 30
    assert proportion_ci(hits, UNKNOWN, BOOTSTRAP) == wilson_ci(30, 50)
    twice = np.arange(50).astype(str)
    twice[1] = twice[0]
    assert proportion_ci(hits, twice, BOOTSTRAP) != wilson_ci(30, 50)


def test_repeated_images_do_not_narrow_the_interval():
    hits = np.random.default_rng(0).random(100) < 0.6
    people = np.arange(100).astype(str)
    once = mean_ci(hits, people, BOOTSTRAP)
    copied = mean_ci(np.repeat(hits, 10), np.repeat(people, 10), BOOTSTRAP)
    assert (copied.value, copied.low, copied.high) == pytest.approx((once.value, once.low, once.high))
    naive = wilson_ci(int(hits.sum()) * 10, 1000)
    assert copied.high - copied.low > 2.5 * (naive.high - naive.low)


def test_mean_ci_matches_the_normal_interval():
    values = np.random.default_rng(1).normal(5, 2, 2000)
    estimate = mean_ci(values, np.array([""] * 2000), Bootstrap(n_resamples=2000))
    half = 1.96 * values.std() / np.sqrt(2000)
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.01)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.01)


def test_mean_ci_has_nominal_coverage():
    generator = np.random.default_rng(2)
    people = np.repeat(np.arange(60).astype(str), 5)
    covered = 0
    for _ in range(200):
        values = np.repeat(generator.normal(size=60), 5) + generator.normal(size=300)
        estimate = mean_ci(values, people, Bootstrap(n_resamples=200))
        covered += estimate.low <= 0 <= estimate.high
    assert 0.88 <= covered / 200 <= 0.99


def test_single_person_has_no_interval():
    estimate = mean_ci(np.arange(4.0), np.array(["a"] * 4), BOOTSTRAP)
    assert estimate.value == 1.5 and estimate.low is None and estimate.high is None


def test_mostly_undefined_statistic_has_no_interval():
    terms = np.eye(50)[:, :1]  # the first image alone decides, and most resamples lack it or not
    estimate = bootstrap_ci(terms, lambda sums: np.where(sums[..., 0] > 2, 1.0, np.nan), UNKNOWN, BOOTSTRAP)
    assert estimate.low is None
