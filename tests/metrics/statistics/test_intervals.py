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

PLAN = Bootstrap(n_resamples=400, seed=3)
UNKNOWN = np.array([""] * 50)


def test_the_papers_accuracy_has_the_interval_worked_out_by_hand():
    figure = wilson_ci(0.6053 * 3500, 3500, chance=1 / 7)
    assert (round(100 * figure.low, 2), round(100 * figure.high, 2)) == (58.90, 62.14)
    assert figure.n == 3500 and figure.chance == 1 / 7


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (0, 20), (20, 20), (7, 13), (560, 3500)])
def test_wilson_equals_scipys(hits, n):
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    figure = wilson_ci(hits, n)
    assert (figure.value, figure.low, figure.high) == pytest.approx((hits / n, expected.low, expected.high), abs=1e-12)


def test_no_image_is_no_number():
    figure = wilson_ci(0, 0)
    assert np.isnan(figure.value) and figure.low is None and figure.n == 0


def test_unknown_people_are_each_their_own_cluster():
    groups = group_ids(np.array(["", "b", "", "a", "b"]))
    assert groups[1] == groups[4]
    assert len(set(groups.tolist())) == 4 and groups.max() == 3


def test_images_are_independent_until_a_person_comes_twice():
    assert are_independent(np.array(["", "", "a"]))
    assert not are_independent(np.array(["a", "", "a"]))


def test_weights_draw_as_many_groups_as_there_are_and_the_same_for_a_seed():
    drawn = np.concatenate(list(bootstrap_weights(30, PLAN)))
    assert drawn.shape == (400, 30)
    assert (drawn.sum(axis=1) == 30).all()
    assert (drawn == np.concatenate(list(bootstrap_weights(30, PLAN)))).all()
    assert (drawn != np.concatenate(list(bootstrap_weights(30, Bootstrap(n_resamples=400, seed=4))))).any()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(30), abs=0.25)


def test_a_share_of_independent_images_is_wilsons_and_else_is_not():
    hits = np.arange(50) < 30
    assert proportion_ci(hits, UNKNOWN, PLAN) == wilson_ci(30, 50)
    twice = np.arange(50).astype(str)
    twice[1] = twice[0]
    assert proportion_ci(hits, twice, PLAN) != wilson_ci(30, 50)


def test_ten_copies_of_each_person_add_no_certainty():
    hits = np.random.default_rng(0).random(100) < 0.6
    people = np.arange(100).astype(str)
    once = mean_ci(hits, people, PLAN)
    copied = mean_ci(np.repeat(hits, 10), np.repeat(people, 10), PLAN)
    assert (copied.value, copied.low, copied.high) == pytest.approx((once.value, once.low, once.high))
    naive = wilson_ci(int(hits.sum()) * 10, 1000)
    assert copied.high - copied.low > 2.5 * (naive.high - naive.low)


def test_the_bootstrap_of_a_mean_matches_its_normal_interval():
    values = np.random.default_rng(1).normal(5, 2, 2000)
    figure = mean_ci(values, np.array([""] * 2000), Bootstrap(n_resamples=2000))
    half = 1.96 * values.std() / np.sqrt(2000)
    assert figure.low == pytest.approx(values.mean() - half, abs=0.01)
    assert figure.high == pytest.approx(values.mean() + half, abs=0.01)


def test_intervals_cover_the_truth_as_often_as_they_say():
    generator = np.random.default_rng(2)
    people = np.repeat(np.arange(60).astype(str), 5)
    covered = 0
    for _ in range(200):
        values = np.repeat(generator.normal(size=60), 5) + generator.normal(size=300)
        figure = mean_ci(values, people, Bootstrap(n_resamples=200))
        covered += figure.low <= 0 <= figure.high
    assert 0.88 <= covered / 200 <= 0.99


def test_one_person_gives_a_value_and_no_interval():
    figure = mean_ci(np.arange(4.0), np.array(["a"] * 4), PLAN)
    assert figure.value == 1.5 and figure.low is None and figure.high is None


def test_a_statistic_that_is_mostly_undefined_has_no_interval():
    terms = np.eye(50)[:, :1]  # the first image alone decides, and most resamples lack it or not
    figure = bootstrap_ci(terms, lambda sums: np.where(sums[..., 0] > 2, 1.0, np.nan), UNKNOWN, PLAN)
    assert figure.low is None
