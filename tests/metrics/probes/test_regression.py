import numpy as np
import pytest

from facedis.metrics.probes.regression import RIDGE_GRID, RegressionData, mlp_regression_probe, r2_ci, ridge_probe
from facedis.metrics.statistics.intervals import Bootstrap

PLAN = Bootstrap(n_resamples=100)


def part(n: int, seed: int, noise: float = 0.0) -> RegressionData:
    generator = np.random.default_rng(seed)
    codes = generator.normal(size=(n, 5)) * 7 + 100
    slopes = np.array([[1.0, 0], [0, 2.0], [0, 0], [1.0, 1.0], [0, 0]])
    return RegressionData(codes, codes @ slopes + noise * generator.normal(size=(n, 2)))


def r2(fit: RegressionData, selection: RegressionData, test: RegressionData) -> float:
    predictions = ridge_probe(fit, selection, test.codes).predictions
    return r2_ci(test.targets, predictions, np.array([""] * len(test.targets)), PLAN).value


def test_a_linear_number_is_read_wholly_and_noise_not_at_all():
    assert r2(part(200, 0), part(100, 1), part(200, 2)) > 0.999
    parts = [
        RegressionData(part(300, seed).codes, np.random.default_rng(seed).normal(size=(300, 1))) for seed in range(3)
    ]
    assert r2(*parts) == pytest.approx(0, abs=0.05)


def test_r2_is_what_it_says():
    truth, guess = np.array([[1.0], [2.0], [3.0], [6.0]]), np.array([[1.0], [2.0], [4.0], [4.0]])
    assert r2_ci(truth, guess, np.array([""] * 4), PLAN).value == pytest.approx(1 - 5 / 14)


def test_an_answer_worse_than_the_mean_is_below_zero_and_large_numbers_do_not_cancel():
    truth = np.array([[0.0], [1.0]] * 20)
    nobody = np.array([""] * 40)
    assert r2_ci(truth, 1 - truth, nobody, PLAN).value == pytest.approx(-3)
    assert r2_ci(truth + 1e9, truth + 1e9, nobody, PLAN).value == 1


def test_it_is_the_ridge_regression_of_a_textbook():
    fit, selection, test = part(60, 0, 20), part(60, 1, 20), part(60, 2, 20)
    found = ridge_probe(fit, selection, test.codes).predictions
    centre, scale = fit.codes.mean(axis=0), fit.codes.std(axis=0)
    known, asked = ((part.codes - centre) / scale for part in (fit, test))
    tried = []
    for penalty in RIDGE_GRID:
        slopes = np.linalg.solve(
            known.T @ known + 60 * penalty * np.eye(5), known.T @ (fit.targets - fit.targets.mean(axis=0))
        )
        tried.append(np.abs(fit.targets.mean(axis=0) + asked @ slopes - found).max())
    assert min(tried) < 1e-3


def test_a_constant_code_predicts_the_mean_of_p():
    fit = RegressionData(np.ones((20, 3)), part(20, 0).targets)
    assert ridge_probe(fit, fit, np.ones((2, 3))).predictions == pytest.approx(
        np.tile(fit.targets.mean(axis=0), (2, 1))
    )
    assert ridge_probe(RegressionData(fit.codes[:1], fit.targets[:1]), fit, fit.codes) is None


def test_a_network_reads_what_bends():
    def bent(seed: int) -> RegressionData:
        codes = np.random.default_rng(seed).uniform(-1, 1, (300, 2))
        return RegressionData(codes, 50 + 9 * codes[:, :1] ** 2)

    fit, selection, test = (bent(seed) for seed in range(3))
    assert mlp_regression_probe(fit, selection, test.codes).val_score > 0.85
    assert ridge_probe(fit, selection, test.codes).val_score < 0.1
