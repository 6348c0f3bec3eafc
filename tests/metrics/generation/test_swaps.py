import numpy as np
import pytest

from facedis.metrics.generation.swaps import (
    DonorGroups,
    Donors,
    RealPairScores,
    ground_truth_faces,
    other_faces_of_person,
    paired_cosine,
    sample_donors,
)
from facedis.metrics.statistics.intervals import Bootstrap, wilson_ci
from facedis.metrics.verification.pairs import identity_pairs

PLAN = Bootstrap(n_resamples=300, seed=1)
LABELS = np.tile([0, 1, 2], 8)
PEOPLE = np.repeat([f"p{k}" for k in range(4)], 6)


@pytest.mark.parametrize("across", [True, False])
def test_donors_differ_in_expression_and_are_two_people_or_one(across):
    donors = sample_donors(LABELS, PEOPLE, across, 10_000, 0)
    assert (LABELS[donors.rest] != LABELS[donors.expression]).all()
    assert ((PEOPLE[donors.rest] != PEOPLE[donors.expression]) == across).all()
    pairs = set(zip(donors.rest.tolist(), donors.expression.tolist(), strict=True))
    possible = 24 * (18 * 2 // 3 if across else 4)
    assert len(pairs) == len(donors) == possible  # all of them, none twice


def test_every_two_expressions_come_equally_often_in_random_order():
    rare = np.concatenate([LABELS, np.zeros(60, int)])
    donors = sample_donors(rare, np.array([f"p{k}" for k in range(len(rare))]), True, 120, 0)
    cells, counts = np.unique(np.stack([rare[donors.rest], rare[donors.expression]]), axis=1, return_counts=True)
    assert cells.shape[1] == 6 and (counts == 20).all()
    assert len(np.unique(rare[donors.expression][:12])) == 3
    again = sample_donors(rare, np.array([f"p{k}" for k in range(len(rare))]), True, 120, 0)
    assert (again.rest == donors.rest).all() and (again.expression == donors.expression).all()


def test_unknown_people_swap_with_others_and_never_with_themselves():
    nobody = np.full(6, "")
    labels = np.array([0, 1, 0, 1, 0, 1])
    assert len(sample_donors(labels, nobody, True, 100, 0)) == 18
    assert len(sample_donors(labels, nobody, False, 100, 0)) == 0


def groups(n=200, people=8):
    generator = np.random.default_rng(0)
    return DonorGroups(generator.integers(0, people, n), generator.integers(0, people, n))


def test_a_mean_has_the_interval_of_a_slow_bootstrap_over_people():
    some = groups(40, 5)
    values = np.random.default_rng(2).normal(size=40)
    figure = some.mean_ci(values, PLAN)
    generator, draws = np.random.default_rng(9), []
    for _ in range(4000):
        often = np.bincount(generator.integers(0, 5, 5), minlength=5)
        pairs = zip(some.first, some.second, strict=True)
        weight = np.array([often[a] * (often[b] if a != b else 1) for a, b in pairs])
        if weight.sum():
            draws.append((weight * values).sum() / weight.sum())
    low, high = np.quantile(draws, (0.025, 0.975))
    assert figure.value == pytest.approx(values.mean()) and figure.n == 40
    assert (figure.low, figure.high) == pytest.approx((low, high), abs=0.12)


def test_an_interval_over_both_people_is_wider_than_one_over_swaps():
    some = groups()
    person = np.random.default_rng(1).normal(size=8)
    figure = some.mean_ci(person[some.first] + person[some.second], PLAN)
    assert figure.high - figure.low > 4 * 1.96 * np.std(person) / np.sqrt(200)


def test_where_all_agree_the_people_are_counted():
    some = groups()
    expected = wilson_ci(8, 8, 0.5)
    figure = some.proportion_ci(np.ones(200, bool), PLAN, 0.5)
    assert (figure.value, figure.low, figure.n, figure.chance) == (1, expected.low, 200, 0.5)
    assert some.balanced_accuracy_ci(np.zeros(200, int), np.zeros(200, int), 3, PLAN).low == expected.low


def test_balanced_accuracy_weighs_each_expression_alike():
    some, labels = groups(), np.array([0] * 180 + [1] * 20)
    figure = some.balanced_accuracy_ci(np.zeros(200, int), labels, 3, PLAN)
    assert figure.value == pytest.approx(0.5) and figure.chance == 0.5


def test_one_person_or_one_couple_has_no_interval_and_no_swap_no_value():
    assert DonorGroups(np.zeros(5, int), np.zeros(5, int)).mean_ci(np.arange(5.0), PLAN).low is None
    two = DonorGroups(np.array([0, 1, 0]), np.array([1, 0, 1]))  # every resample with a swap in it is the same
    assert two.mean_ci(np.arange(3.0), PLAN).low is None
    assert DonorGroups(np.array([0, 1, 0]), np.array([1, 2, 2])).mean_ci(np.arange(3.0), PLAN).low is not None
    assert np.isnan(DonorGroups(np.empty(0, int), np.empty(0, int)).proportion_ci(np.empty(0, bool), PLAN).value)


def test_the_threshold_accepts_one_impostor_in_a_hundred():
    generator = np.random.default_rng(5)
    people, labels = np.repeat([f"p{k}" for k in range(60)], 4), np.tile([0, 1, 2, 3], 60)
    codes = np.repeat(generator.normal(size=(60, 6)), 4, axis=0) + generator.normal(0, 0.3, (240, 6))
    real = RealPairScores.from_embeddings(codes, identity_pairs(labels, people, 0), people, PLAN)
    assert (real.impostor > real.threshold).mean() == pytest.approx(0.01, abs=0.002)
    assert real.auc.value > 0.98 and len(real.genuine) == len(real.genuine_groups.first) == 60 * 6
    assert (real.genuine_groups.first == real.genuine_groups.second).all()
    assert (real.impostor_groups.first != real.impostor_groups.second).all()
    nobody = np.full(240, "")
    assert RealPairScores.from_embeddings(codes, identity_pairs(labels, nobody, 0), nobody, PLAN) is None


def test_cosines_of_rows():
    found = paired_cosine(np.array([[1.0, 0], [1, 1]]), np.array([[0.0, 2], [-1, -1]]))
    assert found == pytest.approx([0, -1])


def test_the_truth_has_person_and_setting_of_one_and_expression_of_the_other():
    people, labels = np.array(["a", "a", "a", "b", "b"]), np.array([0, 1, 1, 0, 1])
    strength, setting = np.array([0, 0.85, 0.85, 0, 0.85]), np.array([[0.0], [0.0], [9.0], [0.0], [0.0]])
    donors = Donors(np.array([0, 3, 0, 2, 4]), np.array([4, 1, 1, 3, 0]))
    assert ground_truth_faces(donors, labels, people, setting, strength).tolist() == [1, 4, 1, -1, 3]
    weak = strength.copy()
    weak[1] = 0.3  # the person shows it, but not as strongly
    assert ground_truth_faces(donors, labels, people, setting, weak).tolist() == [-1, -1, 1, -1, 3]


def test_of_photographs_in_one_setting_the_person_itself_shows_the_truth():
    people, labels = np.array(["a", "a", "b", ""]), np.array([0, 1, 0, 1])
    donors = Donors(np.array([0, 0, 2]), np.array([1, 3, 1]))
    assert ground_truth_faces(donors, labels, people, None, None, one_setting=True).tolist() == [1, -1, -1]
    assert ground_truth_faces(donors, labels, people, None, None).tolist() == [-1, -1, -1]


def test_another_face_is_of_the_same_person_and_never_the_same():
    people = np.array(["a", "a", "a", "b", "", ""])
    found = other_faces_of_person(np.array([0, 1, 2, 3, 4]), people, 0)
    assert set(found[:3]) <= {0, 1, 2} and (found[:3] != [0, 1, 2]).all()
    assert found[3:].tolist() == [-1, -1]
