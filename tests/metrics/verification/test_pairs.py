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
    labels, names = people(20, 4, copies=2)
    drawn = pairs.expression_pairs(labels, names, seed=1, max_pairs=500)
    assert drawn.positive.sum() == 500 and len(drawn) == 1000
    assert (names[drawn.first] != names[drawn.second]).all()
    assert ((labels[drawn.first] == labels[drawn.second]) == drawn.positive).all()
    keys = {tuple(sorted(pair)) for pair in zip(drawn.first.tolist(), drawn.second.tolist(), strict=True)}
    assert len(keys) == 1000  # no duplicates
    again = pairs.expression_pairs(labels, names, seed=1, max_pairs=500)
    assert (again.first == drawn.first).all() and (again.second == drawn.second).all()
    other = pairs.expression_pairs(labels, names, seed=2, max_pairs=500)
    assert (other.first != drawn.first).any()


@pytest.mark.parametrize("listed", [10**9, 0])
def test_pairs_are_equally_likely(monkeypatch, listed):
    monkeypatch.setattr(pairs, "_MAX_ENUMERATED", listed)
    labels, names = np.array([0, 0, 0, 0, 1, 1]), np.array([""] * 6)
    seen = np.zeros((6, 6))
    for seed in range(700):
        drawn = pairs.expression_pairs(labels, names, seed, max_pairs=1)
        np.add.at(seen, (drawn.first, drawn.second), 1)
    seen += seen.T
    same = [seen[i, j] for i in range(6) for j in range(i) if labels[i] == labels[j]]
    assert len(same) == 7 and sum(same) == 700
    assert min(same) > 65 and max(same) < 140


@pytest.mark.parametrize("listed", [10**9, 0])
def test_identity_pairs_are_of_their_kinds(monkeypatch, listed):
    monkeypatch.setattr(pairs, "_MAX_ENUMERATED", listed)
    labels, names = people(12, 3, copies=2)
    names[:6] = ""
    drawn = pairs.identity_pairs(labels, names, seed=0)
    same = names[drawn.first] == names[drawn.second]
    assert (same == drawn.positive).all()
    assert ((labels[drawn.first] == labels[drawn.second]) == ~drawn.positive).all()
    assert (names[drawn.first] != "").all() and (names[drawn.second] != "").all()
    assert drawn.positive.sum() == 11 * (15 - 3)  # 15 pairs of a person's six images, 3 of them with one expression
    assert (~drawn.positive).sum() == 3 * (11 * 10 // 2) * 4


def test_unknown_people_have_no_identity_pairs():
    labels = np.arange(10) % 2
    drawn = pairs.identity_pairs(labels, np.array([""] * 10), seed=0)
    assert len(drawn) == 0
    alone = pairs.identity_pairs(labels, np.arange(10).astype(str), seed=0)
    assert not alone.positive.any() and len(alone) > 0


def test_auc_equals_scikit_learn_with_and_without_ties():
    for values in (generator().normal(size=400), generator().integers(0, 5, 400).astype(float)):
        drawn = Pairs(np.arange(400), np.arange(400) + 400, np.random.default_rng(1).random(400) < 0.3)
        estimate = pairs.auc(values, drawn, np.array([""] * 800), BOOTSTRAP)
        assert estimate.value == pytest.approx(roc_auc_score(drawn.positive, values))
        assert estimate.low < estimate.value < estimate.high
        assert estimate.chance == 0.5 and estimate.n == 400


def test_auc_of_expression_and_identity_codes():
    labels, names = people(15, 4)
    of_expression, of_person = np.eye(4)[labels], np.eye(15)[names.astype(int)]
    drawn = pairs.identity_pairs(labels, names, seed=0)
    for codes, expected in ((of_person, 1.0), (of_expression, 0.0), (np.ones((60, 3)), 0.5)):
        values = pairs.cosines(codes, drawn.first, drawn.second)
        assert pairs.auc(values, drawn, names, BOOTSTRAP).value == expected
    drawn = pairs.expression_pairs(labels, names, seed=0)
    values = pairs.cosines(of_expression, drawn.first, drawn.second)
    assert pairs.auc(values, drawn, names, BOOTSTRAP).value == 1


def test_duplicated_images_do_not_narrow_the_interval():
    def measured(copies):
        labels, names = people(12, 6, copies)
        codes = generator().normal(size=(12, 1, 8)) + generator().normal(size=(12, 6, 8))
        drawn = pairs.identity_pairs(labels, names, seed=0)
        # copies of one face have the same expression
        faces = np.tile(codes, (1, copies, 1)).reshape(-1, 8)
        return pairs.auc(pairs.cosines(faces, drawn.first, drawn.second), drawn, names, BOOTSTRAP)

    once, often = measured(1), measured(4)
    assert often.n == 16 * once.n
    assert (often.value, often.low, often.high) == pytest.approx((once.value, once.low, once.high))
    assert once.high - once.low > 0.05


def test_single_kind_of_pairs_has_no_auc():
    drawn = Pairs(np.arange(3), np.arange(3) + 3, np.ones(3, bool))
    assert pairs.auc(np.arange(3.0), drawn, np.array([""] * 6), BOOTSTRAP) is None


def test_normalised_auc_is_the_ratio_above_one_half():
    labels, identities = people(30, 3)
    drawn = pairs.identity_pairs(labels, identities, 0)
    looks = generator().normal(size=(30, 8))[identities.astype(int)]
    faint, loud = (
        pairs.cosines(scale * looks + generator().normal(size=looks.shape), drawn.first, drawn.second)
        for scale in (0.4, 1.5)
    )
    own, reference = (pairs.auc(values, drawn, identities, BOOTSTRAP).value for values in (faint, loud))
    share = pairs.normalised_auc(faint, loud, drawn, identities, BOOTSTRAP)
    assert share.value == pytest.approx((own - 0.5) / (reference - 0.5))
    assert 0 < share.low < share.value < share.high < 1
    assert pairs.normalised_auc(loud, loud, drawn, identities, BOOTSTRAP).value == 1
    assert pairs.normalised_auc(loud, np.ones(len(drawn)), drawn, identities, BOOTSTRAP) is None


def test_percentile_rank_of_a_known_distribution():
    stored = pairs.quantiles(np.linspace(0, 1, 1001))
    assert len(stored) == 201
    for value, expected in ((0.25, 25), (0.9033, 90.33), (-1, 0), (2, 100), (0, 0), (1, 100)):
        assert pairs.percentile_rank(stored, value) == pytest.approx(expected, abs=0.26)
    assert pairs.percentile_rank(stored.tolist(), 0.9033) == pytest.approx(90.33)


def test_percentile_rank_of_repeated_values_is_their_middle():
    stored = pairs.quantiles(np.r_[np.zeros(500), np.ones(500)])
    assert pairs.percentile_rank(stored, 0.0) == pytest.approx(25, abs=0.5)
    assert pairs.percentile_rank(np.ones(201), 1.0) == 50


def test_reference_distributions_of_an_expression_code():
    labels, names = people(20, 4)
    told = pairs.reference_distributions(np.eye(4)[labels], labels, names, BOOTSTRAP)
    assert (told["same"] == 1).all() and (told["different"] == 0).all()
    assert (told["same_person"] == 0).all() and (told["different_people"] == 1).all()
    assert told["expression_auc"].value == 1 and told["person_auc"].value == 0
    alone = pairs.reference_distributions(np.eye(4)[labels[:4]], labels[:4], names[:4], BOOTSTRAP)
    assert [alone[kind] for kind in ("same", "different", "different_people", "expression_auc")] == [None] * 4


def test_threshold_above_and_fraction_above_agree():
    stored = pairs.quantiles(generator().normal(size=50_000))
    for share in (0.01, 0.05, 0.5):
        assert pairs.fraction_above(stored, pairs.threshold_above(stored, share)) == pytest.approx(share, abs=1e-3)
    assert pairs.fraction_above(stored, -99.0) == 1 and pairs.fraction_above(stored, 99.0) == 0
    assert pairs.fraction_above(np.ones(201), pairs.threshold_above(np.ones(201), 0.05)) == 0


def test_auc_difference_equals_the_difference_of_the_aucs():
    labels, names = people(30, 3, 2)
    drawn = pairs.expression_pairs(labels, names, seed=0)
    strong = drawn.positive + generator().normal(0, 0.5, len(drawn))
    weak = drawn.positive + generator().normal(0, 2, len(drawn))
    own, other = (pairs.auc(values, drawn, names, BOOTSTRAP) for values in (strong, weak))
    found = pairs.auc_difference(strong, weak, drawn, names, BOOTSTRAP)
    assert found.value == pytest.approx(own.value - other.value) and found.chance == 0
    assert 0 < found.low < found.value < found.high
    same = pairs.auc_difference(strong, strong, drawn, names, BOOTSTRAP)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert (
        pairs.auc_difference(strong, weak, Pairs(drawn.first, drawn.second, drawn.positive | True), names, BOOTSTRAP)
        is None
    )
