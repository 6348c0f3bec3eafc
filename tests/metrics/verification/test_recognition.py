import numpy as np
import pytest
from sklearn.metrics import roc_curve

from facedis.metrics.statistics.intervals import Bootstrap
from facedis.metrics.verification.pairs import Pairs
from facedis.metrics.verification.recognition import rank_one, verification_rates

BOOTSTRAP = Bootstrap(n_resamples=100)


def sample_pairs(positive: np.ndarray, negative: np.ndarray) -> tuple[np.ndarray, Pairs, np.ndarray]:
    """Genuine and impostor pairs of 40 people with the given values."""
    generator = np.random.default_rng(0)
    true, false = len(positive), len(negative)
    first = np.r_[2 * generator.integers(0, 40, true), 2 * generator.integers(0, 40, false)]
    step = 2 * generator.integers(1, 40, false)
    second = np.r_[first[:true] + 1, (first[true:] + step) % 80]
    identities = np.char.add("p", (np.arange(80) // 2).astype(str))
    return (
        np.r_[positive, negative],
        Pairs(first, second, np.r_[np.ones(true, bool), np.zeros(false, bool)]),
        identities,
    )


def test_rates_of_perfect_and_of_constant_similarity():
    perfect = verification_rates(*sample_pairs(np.full(50, 0.9), np.full(200, 0.1)), BOOTSTRAP)
    assert (perfect["eer"].value, perfect["tar_at_far_1"].value) == (0, 1)
    useless = verification_rates(*sample_pairs(np.full(50, 1.0), np.full(200, 1.0)), BOOTSTRAP)
    assert useless["eer"].value == pytest.approx(0.5)
    assert useless["tar_at_far_1"].value == pytest.approx(0.01)
    assert (useless["eer"].chance, useless["tar_at_far_1"].chance, useless["eer"].n) == (0.5, 0.01, 250)


def test_rates_equal_the_roc_curve():
    generator = np.random.default_rng(1)
    values, pairs, identities = sample_pairs(generator.normal(1, 1, 400), generator.normal(0, 1, 800))
    far, tar, _ = roc_curve(pairs.positive, values, drop_intermediate=False)
    rates = verification_rates(values, pairs, identities, BOOTSTRAP)
    grid = np.linspace(0, 1, 100_001)
    gap = np.interp(grid, far, tar) - (1 - grid)
    assert rates["eer"].value == pytest.approx(grid[np.abs(gap).argmin()], abs=2e-3)
    assert rates["eer"].value == pytest.approx(
        0.309, abs=0.03
    )  # the EER of two normal distributions one standard deviation apart
    assert rates["tar_at_far_1"].value == pytest.approx(tar[far <= 0.01].max(), abs=1e-9)
    assert rates["eer"].low < rates["eer"].value < rates["eer"].high


def test_single_kind_of_pairs_has_no_rates():
    values, pairs, identities = sample_pairs(np.ones(5), np.zeros(5))
    assert (
        verification_rates(
            values[:5], Pairs(pairs.first[:5], pairs.second[:5], pairs.positive[:5]), identities, BOOTSTRAP
        )
        is None
    )


def faces(people: int = 20, each: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    person, label = (axis.ravel() for axis in np.meshgrid(np.arange(people), np.arange(each)))
    return person, label, np.char.add("p", person.astype(str))


def test_rank_one_of_identity_and_expression_codes():
    person, label, identities = faces()
    generator = np.random.default_rng(0)
    identity_codes = generator.normal(size=(20, 16))[person]
    assert rank_one(identity_codes, label, identities, BOOTSTRAP).value == 1
    expression_codes = np.eye(4)[label] + 0.01 * identity_codes[:, :4]
    assert rank_one(expression_codes, label, identities, BOOTSTRAP).value < 0.2


def test_rank_one_of_a_constant_code_is_chance():
    _, label, identities = faces()
    estimate = rank_one(np.ones((80, 3)), label, identities, BOOTSTRAP)
    assert estimate.value == pytest.approx(1 / 20) and estimate.chance == pytest.approx(1 / 20)


def test_people_with_one_expression_are_excluded():
    person, label, identities = faces(people=3)
    label = np.where(person == 2, 0, label)
    estimate = rank_one(np.eye(3)[person], label, identities, BOOTSTRAP)
    assert estimate.chance == 0.5
    assert rank_one(np.ones((4, 2)), np.zeros(4, int), np.array(["a", "a", "b", "b"]), BOOTSTRAP) is None
    assert rank_one(np.ones((4, 2)), np.arange(4), np.array([""] * 4), BOOTSTRAP) is None
