import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from facedis.metrics.statistics.intervals import Bootstrap
from facedis.metrics.verification import pairs
from facedis.metrics.verification.pairs import Pairs

BOOTSTRAP = Bootstrap(n_resamples=300)


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def people(persons: int, expressions: int, copies: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Labels and identities of people with every expression."""
    n = persons * expressions * copies
    return np.arange(n) % expressions, (np.arange(n) // (expressions * copies)).astype(str)


def test_cosines_equal_the_definition_across_blocks(monkeypatch):
    monkeypatch.setattr(pairs, "_BLOCK", 7)
    codes = generator().normal(size=(30, 5)).astype(np.float32)
    first, second = generator().integers(0, 30, (2, 50))
    expected = [
        codes[i].astype(float) @ codes[j] / np.linalg.norm(codes[i].astype(float)) / np.linalg.norm(codes[j])
        for i, j in zip(first, second, strict=True)
    ]
    assert pairs.cosines(codes, first, second) == pytest.approx(np.array(expected), abs=1e-6)


def test_cosines_of_tiny_huge_and_zero_codes():
    codes = np.array([[3e-200, 4e-200], [3e200, 4e200], [0, 0], [0, 0], [-3, -4]])
    first, second = np.array([0, 2, 0, 0]), np.array([1, 3, 2, 4])
    assert pairs.cosines(codes, first, second).tolist() == pytest.approx([1, 1, 0, -1])


@pytest.mark.parametrize("listed", [10**9, 0])
def test_expression_pairs_are_of_their_kinds(monkeypatch, listed):
    monkeypatch.setattr(pairs, "_MAX_ENUMERATED", listed)
    labels, identities = people(20, 4, copies=2)
    sampled = pairs.expression_pairs(labels, identities, seed=1, max_pairs=500)
    assert sampled.positive.sum() == 500 and len(sampled) == 1000
    assert (identities[sampled.first] != identities[sampled.second]).all()
    assert ((labels[sampled.first] == labels[sampled.second]) == sampled.positive).all()
    keys = {tuple(sorted(pair)) for pair in zip(sampled.first.tolist(), sampled.second.tolist(), strict=True)}
    assert len(keys) == 1000  # no duplicates
    again = pairs.expression_pairs(labels, identities, seed=1, max_pairs=500)
    assert (again.first == sampled.first).all() and (again.second == sampled.second).all()
    other = pairs.expression_pairs(labels, identities, seed=2, max_pairs=500)
    assert (other.first != sampled.first).any()


@pytest.mark.parametrize("listed", [10**9, 0])
def test_pairs_are_equally_likely(monkeypatch, listed):
    monkeypatch.setattr(pairs, "_MAX_ENUMERATED", listed)
    labels, identities = np.array([0, 0, 0, 0, 1, 1]), np.array([""] * 6)
    counts = np.zeros((6, 6))
    for seed in range(700):
        sampled = pairs.expression_pairs(labels, identities, seed, max_pairs=1)
        np.add.at(counts, (sampled.first, sampled.second), 1)
    counts += counts.T
    same = [counts[i, j] for i in range(6) for j in range(i) if labels[i] == labels[j]]
    assert len(same) == 7 and sum(same) == 700
    assert min(same) > 65 and max(same) < 140


@pytest.mark.parametrize("listed", [10**9, 0])
def test_identity_pairs_are_of_their_kinds(monkeypatch, listed):
    monkeypatch.setattr(pairs, "_MAX_ENUMERATED", listed)
    labels, identities = people(12, 3, copies=2)
    identities[:6] = ""
    sampled = pairs.identity_pairs(labels, identities, seed=0)
    same = identities[sampled.first] == identities[sampled.second]
    assert (same == sampled.positive).all()
    assert ((labels[sampled.first] == labels[sampled.second]) == ~sampled.positive).all()
    assert (identities[sampled.first] != "").all() and (identities[sampled.second] != "").all()
    assert sampled.positive.sum() == 11 * (15 - 3)  # 15 pairs of a person's six images, 3 of them with one expression
    assert (~sampled.positive).sum() == 3 * (11 * 10 // 2) * 4


def test_unknown_people_have_no_identity_pairs():
    labels = np.arange(10) % 2
    sampled = pairs.identity_pairs(labels, np.array([""] * 10), seed=0)
    assert len(sampled) == 0
    alone = pairs.identity_pairs(labels, np.arange(10).astype(str), seed=0)
    assert not alone.positive.any() and len(alone) > 0


def test_auc_equals_scikit_learn_with_and_without_ties():
    for values in (generator().normal(size=400), generator().integers(0, 5, 400).astype(float)):
        sampled = Pairs(np.arange(400), np.arange(400) + 400, np.random.default_rng(1).random(400) < 0.3)
        estimate = pairs.auc(values, sampled, np.array([""] * 800), BOOTSTRAP)
        assert estimate.value == pytest.approx(roc_auc_score(sampled.positive, values))
        assert estimate.low < estimate.value < estimate.high
        assert estimate.chance == 0.5 and estimate.n == 400


def test_auc_of_expression_and_identity_codes():
    labels, identities = people(15, 4)
    expression_codes, identity_codes = np.eye(4)[labels], np.eye(15)[identities.astype(int)]
    sampled = pairs.identity_pairs(labels, identities, seed=0)
    for codes, expected in ((identity_codes, 1.0), (expression_codes, 0.0), (np.ones((60, 3)), 0.5)):
        values = pairs.cosines(codes, sampled.first, sampled.second)
        assert pairs.auc(values, sampled, identities, BOOTSTRAP).value == expected
    sampled = pairs.expression_pairs(labels, identities, seed=0)
    values = pairs.cosines(expression_codes, sampled.first, sampled.second)
    assert pairs.auc(values, sampled, identities, BOOTSTRAP).value == 1


def test_duplicated_images_do_not_narrow_the_interval():
    def measured(copies):
        labels, identities = people(12, 6, copies)
        codes = generator().normal(size=(12, 1, 8)) + generator().normal(size=(12, 6, 8))
        sampled = pairs.identity_pairs(labels, identities, seed=0)
        # copies of one face have the same expression
        faces = np.tile(codes, (1, copies, 1)).reshape(-1, 8)
        return pairs.auc(pairs.cosines(faces, sampled.first, sampled.second), sampled, identities, BOOTSTRAP)

    once, repeated = measured(1), measured(4)
    assert repeated.n == 16 * once.n
    assert (repeated.value, repeated.low, repeated.high) == pytest.approx((once.value, once.low, once.high))
    assert once.high - once.low > 0.05


def test_single_kind_of_pairs_has_no_auc():
    sampled = Pairs(np.arange(3), np.arange(3) + 3, np.ones(3, bool))
    assert pairs.auc(np.arange(3.0), sampled, np.array([""] * 6), BOOTSTRAP) is None


def test_normalised_auc_is_the_ratio_above_one_half():
    labels, identities = people(30, 3)
    sampled = pairs.identity_pairs(labels, identities, 0)
    identity_codes = generator().normal(size=(30, 8))[identities.astype(int)]
    weak, strong = (
        pairs.cosines(
            scale * identity_codes + generator().normal(size=identity_codes.shape), sampled.first, sampled.second
        )
        for scale in (0.4, 1.5)
    )
    own, reference = (pairs.auc(values, sampled, identities, BOOTSTRAP).value for values in (weak, strong))
    share = pairs.normalised_auc(weak, strong, sampled, identities, BOOTSTRAP)
    assert share.value == pytest.approx((own - 0.5) / (reference - 0.5))
    assert 0 < share.low < share.value < share.high < 1
    assert pairs.normalised_auc(strong, strong, sampled, identities, BOOTSTRAP).value == 1
    assert pairs.normalised_auc(strong, np.ones(len(sampled)), sampled, identities, BOOTSTRAP) is None


def test_auc_difference_equals_the_difference_of_the_aucs():
    labels, identities = people(30, 3, 2)
    sampled = pairs.expression_pairs(labels, identities, seed=0)
    strong = sampled.positive + generator().normal(0, 0.5, len(sampled))
    weak = sampled.positive + generator().normal(0, 2, len(sampled))
    own, other = (pairs.auc(values, sampled, identities, BOOTSTRAP) for values in (strong, weak))
    found = pairs.auc_difference(strong, weak, sampled, identities, BOOTSTRAP)
    assert found.value == pytest.approx(own.value - other.value) and found.chance == 0
    assert 0 < found.low < found.value < found.high
    same = pairs.auc_difference(strong, strong, sampled, identities, BOOTSTRAP)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert (
        pairs.auc_difference(
            strong, weak, Pairs(sampled.first, sampled.second, sampled.positive | True), identities, BOOTSTRAP
        )
        is None
    )
