import numpy as np
import pytest

from facedis.metrics.classification.calibration import (
    TEMPERATURE_RANGE,
    expected_calibration_error,
    expected_calibration_error_ci,
    fit_temperature,
    log_loss,
    softmax,
)
from facedis.metrics.statistics.intervals import Bootstrap


@pytest.fixture
def sampled():
    """Logits, and labels sampled from them at a temperature of 2."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, (20_000, 5))
    return logits, (softmax(logits, 2.0).cumsum(1) < rng.random((20_000, 1))).sum(1)


def test_fit_temperature_recovers_the_true_temperature(sampled):
    assert fit_temperature(*sampled) == pytest.approx(2.0, rel=0.05)


def test_fit_temperature_minimises_the_log_loss(sampled):
    best = fit_temperature(*sampled)
    assert log_loss(*sampled, best) < min(log_loss(*sampled, best * factor) for factor in (0.9, 1.1))


def test_temperature_scaling_removes_the_calibration_error(sampled):
    logits, labels = sampled
    assert expected_calibration_error(softmax(logits), labels) > 0.1
    assert expected_calibration_error(softmax(logits, 2.0), labels) < 0.02


def test_fit_temperature_is_bounded():
    logits = np.array([[3.0, 0], [0, 3.0]])
    assert fit_temperature(logits, np.array([0, 1])) == pytest.approx(TEMPERATURE_RANGE[0], rel=1e-6)
    assert fit_temperature(logits, np.array([1, 0])) == pytest.approx(TEMPERATURE_RANGE[1], rel=1e-6)


def test_calibration_error_of_known_values():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    labels = np.array([0, 1, 1, 1])  # confidence 90 % and accuracy 50 %; confidence 60 % and accuracy 100 %
    assert expected_calibration_error(probabilities, labels) == pytest.approx((0.4 + 0.4) / 2)
    assert expected_calibration_error(np.eye(2), np.array([0, 1])) == 0


def test_log_loss_of_uniform_and_of_large_logits():
    assert log_loss(np.zeros((3, 7)), np.array([0, 3, 6])) == pytest.approx(np.log(7))
    assert log_loss(np.array([[1e4, 0.0]]), np.array([1])) == pytest.approx(1e4)
    assert softmax(np.array([[1e4, 0.0]])).tolist() == [[1.0, 0.0]]


def test_calibration_error_equals_the_estimate(sampled):
    probabilities, labels = softmax(sampled[0][:400]), sampled[1][:400]
    estimate = expected_calibration_error_ci(probabilities, labels, np.full(400, ""), Bootstrap(n_resamples=100))
    assert expected_calibration_error(probabilities, labels) == pytest.approx(estimate.value)
