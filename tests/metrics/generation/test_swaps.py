import numpy as np
import pytest

from facedis.metrics.generation.swaps import (
    Donors,
    RealPairScores,
    ground_truth_faces,
    other_faces_of_person,
    paired_cosine,
    sample_donors,
    swap_accuracy_ci,
)
from facedis.metrics.statistics.intervals import Bootstrap, wilson_ci
from facedis.metrics.statistics.pair_groups import PairGroups
from facedis.metrics.verification.pairs import identity_pairs

BOOTSTRAP = Bootstrap(n_resamples=300, seed=1)
LABELS = np.tile([0, 1, 2], 8)
PEOPLE = np.repeat([f"p{k}" for k in range(4)], 6)


@pytest.mark.parametrize("across", [True, False])
def test_donors_differ_in_expression_and_are_one_or_two_people(across):
    donors = sample_donors(LABELS, PEOPLE, across, 10_000, 0)
    assert (LABELS[donors.rest] != LABELS[donors.expression]).all()
    assert ((PEOPLE[donors.rest] != PEOPLE[donors.expression]) == across).all()
    pairs = set(zip(donors.rest.tolist(), donors.expression.tolist(), strict=True))
    possible = 24 * (18 * 2 // 3 if across else 4)
    assert len(pairs) == len(donors) == possible  # every possible pair once


def test_expression_pairs_are_balanced_and_in_random_order():
    rare = np.concatenate([LABELS, np.zeros(60, int)])
    donors = sample_donors(rare, np.array([f"p{k}" for k in range(len(rare))]), True, 120, 0)
    cells, counts = np.unique(np.stack([rare[donors.rest], rare[donors.expression]]), axis=1, return_counts=True)
    assert cells.shape[1] == 6 and (counts == 20).all()
    assert len(np.unique(rare[donors.expression][:12])) == 3
    again = sample_donors(rare, np.array([f"p{k}" for k in range(len(rare))]), True, 120, 0)
    assert (again.rest == donors.rest).all() and (again.expression == donors.expression).all()


def test_unknown_people_are_different_people():
    unknown = np.full(6, "")
    labels = np.array([0, 1, 0, 1, 0, 1])
    assert len(sample_donors(labels, unknown, True, 100, 0)) == 18
    assert len(sample_donors(labels, unknown, False, 100, 0)) == 0


def test_swap_accuracy_is_class_balanced():
    generator = np.random.default_rng(0)
    groups = PairGroups(generator.integers(0, 8, 200), generator.integers(0, 8, 200))
    estimate = swap_accuracy_ci(groups, np.zeros(200, int), np.array([0] * 180 + [1] * 20), 3, BOOTSTRAP)
    assert estimate.value == pytest.approx(0.5) and estimate.chance == 0.5
    perfect = swap_accuracy_ci(groups, np.zeros(200, int), np.zeros(200, int), 3, BOOTSTRAP)
    assert perfect.low == wilson_ci(8, 8).low


def test_threshold_accepts_one_percent_of_the_impostors():
    generator = np.random.default_rng(5)
    people, labels = np.repeat([f"p{k}" for k in range(60)], 4), np.tile([0, 1, 2, 3], 60)
    codes = np.repeat(generator.normal(size=(60, 6)), 4, axis=0) + generator.normal(0, 0.3, (240, 6))
    real = RealPairScores.from_embeddings(codes, identity_pairs(labels, people, 0), people, BOOTSTRAP)
    assert (real.impostor > real.threshold).mean() == pytest.approx(0.01, abs=0.002)
    assert real.auc.value > 0.98 and len(real.genuine) == len(real.genuine_groups.first) == 60 * 6
    assert (real.genuine_groups.first == real.genuine_groups.second).all()
    assert (real.impostor_groups.first != real.impostor_groups.second).all()
    unknown = np.full(240, "")
    assert RealPairScores.from_embeddings(codes, identity_pairs(labels, unknown, 0), unknown, BOOTSTRAP) is None


def test_paired_cosine():
    found = paired_cosine(np.array([[1.0, 0], [1, 1]]), np.array([[0.0, 2], [-1, -1]]))
    assert found == pytest.approx([0, -1])


def test_ground_truth_combines_rest_and_expression_donors():
    people, labels = np.array(["a", "a", "a", "b", "b"]), np.array([0, 1, 1, 0, 1])
    intensity, capture = np.array([0, 0.85, 0.85, 0, 0.85]), np.array([[0.0], [0.0], [9.0], [0.0], [0.0]])
    donors = Donors(np.array([0, 3, 0, 2, 4]), np.array([4, 1, 1, 3, 0]))
    assert ground_truth_faces(donors, labels, people, capture, intensity).tolist() == [1, 4, 1, -1, 3]
    weak = intensity.copy()
    weak[1] = 0.3  # the face of this person has another intensity
    assert ground_truth_faces(donors, labels, people, capture, weak).tolist() == [-1, -1, 1, -1, 3]


def test_ground_truth_of_photographs_under_the_same_conditions():
    people, labels = np.array(["a", "a", "b", ""]), np.array([0, 1, 0, 1])
    donors = Donors(np.array([0, 0, 2]), np.array([1, 3, 1]))
    assert ground_truth_faces(donors, labels, people, None, None, same_capture=True).tolist() == [1, -1, -1]
    assert ground_truth_faces(donors, labels, people, None, None).tolist() == [-1, -1, -1]


def test_other_face_is_another_face_of_the_same_person():
    people = np.array(["a", "a", "a", "b", "", ""])
    found = other_faces_of_person(np.array([0, 1, 2, 3, 4]), people, 0)
    assert set(found[:3]) <= {0, 1, 2} and (found[:3] != [0, 1, 2]).all()
    assert found[3:].tolist() == [-1, -1]
