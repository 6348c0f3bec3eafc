import numpy as np
import pytest

from facedis.metrics.probes.regression import RIDGE_GRID, RegressionData, mlp_regression_probe, r2_ci, ridge_probe
from facedis.metrics.statistics.intervals import Bootstrap

BOOTSTRAP = Bootstrap(n_resamples=100)


def part(n: int, seed: int, noise: float = 0.0) -> RegressionData:
    generator = np.random.default_rng(seed)
    codes = generator.normal(size=(n, 5)) * 7 + 100
    coef = np.array([[1.0, 0], [0, 2.0], [0, 0], [1.0, 1.0], [0, 0]])
    return RegressionData(codes, codes @ coef + noise * generator.normal(size=(n, 2)))


def r2(train: RegressionData, val: RegressionData, test: RegressionData) -> float:
    predictions = ridge_probe(train, val, test.codes).predictions
    return r2_ci(test.targets, predictions, np.array([""] * len(test.targets)), BOOTSTRAP).value


def test_linear_targets_are_predicted_and_noise_is_not():
    assert r2(part(200, 0), part(100, 1), part(200, 2)) > 0.999
    parts = [
        RegressionData(part(300, seed).codes, np.random.default_rng(seed).normal(size=(300, 1))) for seed in range(3)
    ]
    assert r2(*parts) == pytest.approx(0, abs=0.05)


def test_r2_of_known_values():
    targets, predictions = np.array([[1.0], [2.0], [3.0], [6.0]]), np.array([[1.0], [2.0], [4.0], [4.0]])
    assert r2_ci(targets, predictions, np.array([""] * 4), BOOTSTRAP).value == pytest.approx(1 - 5 / 14)


def test_r2_may_be_negative_and_is_stable_for_large_targets():
    targets = np.array([[0.0], [1.0]] * 20)
    unknown = np.array([""] * 40)
    assert r2_ci(targets, 1 - targets, unknown, BOOTSTRAP).value == pytest.approx(-3)
    assert r2_ci(targets + 1e9, targets + 1e9, unknown, BOOTSTRAP).value == 1


def test_predictions_equal_the_closed_form():
    train, val, test = part(60, 0, 20), part(60, 1, 20), part(60, 2, 20)
    found = ridge_probe(train, val, test.codes).predictions
    mean, scale = train.codes.mean(axis=0), train.codes.std(axis=0)
    x, x_test = ((part.codes - mean) / scale for part in (train, test))
    differences = []
    for penalty in RIDGE_GRID:
        coef = np.linalg.solve(x.T @ x + 60 * penalty * np.eye(5), x.T @ (train.targets - train.targets.mean(axis=0)))
        differences.append(np.abs(train.targets.mean(axis=0) + x_test @ coef - found).max())
    assert min(differences) < 1e-3


def test_constant_code_predicts_the_mean():
    train = RegressionData(np.ones((20, 3)), part(20, 0).targets)
    assert ridge_probe(train, train, np.ones((2, 3))).predictions == pytest.approx(
        np.tile(train.targets.mean(axis=0), (2, 1))
    )
    assert ridge_probe(RegressionData(train.codes[:1], train.targets[:1]), train, train.codes) is None


def test_mlp_predicts_quadratic_targets():
    def bent(seed: int) -> RegressionData:
        codes = np.random.default_rng(seed).uniform(-1, 1, (300, 2))
        return RegressionData(codes, 50 + 9 * codes[:, :1] ** 2)

    train, val, test = (bent(seed) for seed in range(3))
    assert mlp_regression_probe(train, val, test.codes).val_score > 0.85
    assert ridge_probe(train, val, test.codes).val_score < 0.1
