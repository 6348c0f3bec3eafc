import numpy as np
import pytest

from facedis.metrics.classification import accuracy as task
from facedis.metrics.classification.calibration import (
    TEMPERATURE_RANGE,
    expected_calibration_error,
    fit_temperature,
    log_loss,
    softmax,
)
from facedis.metrics.statistics.intervals import Bootstrap


@pytest.fixture
def drawn():
    """Logits, and labels drawn from what they say at a temperature of 2."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, (20_000, 5))
    return logits, (softmax(logits, 2.0).cumsum(1) < rng.random((20_000, 1))).sum(1)


def test_the_temperature_that_drew_the_labels_is_found(drawn):
    assert fit_temperature(*drawn) == pytest.approx(2.0, rel=0.05)


def test_no_other_temperature_makes_the_labels_likelier(drawn):
    best = fit_temperature(*drawn)
    assert log_loss(*drawn, best) < min(log_loss(*drawn, best * factor) for factor in (0.9, 1.1))


def test_the_error_of_calibration_falls_to_nothing(drawn):
    logits, labels = drawn
    assert expected_calibration_error(softmax(logits), labels) > 0.1
    assert expected_calibration_error(softmax(logits, 2.0), labels) < 0.02


def test_labels_that_are_always_or_never_right_end_at_the_bounds():
    logits = np.array([[3.0, 0], [0, 3.0]])
    assert fit_temperature(logits, np.array([0, 1])) == pytest.approx(TEMPERATURE_RANGE[0], rel=1e-6)
    assert fit_temperature(logits, np.array([1, 0])) == pytest.approx(TEMPERATURE_RANGE[1], rel=1e-6)


def test_the_error_in_closed_form():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    labels = np.array([0, 1, 1, 1])  # 90 % sure and half right; 60 % sure and all right
    assert expected_calibration_error(probabilities, labels) == pytest.approx((0.4 + 0.4) / 2)
    assert expected_calibration_error(np.eye(2), np.array([0, 1])) == 0


def test_the_loss_of_knowing_nothing_is_the_logarithm_of_the_classes_and_large_logits_are_no_trouble():
    assert log_loss(np.zeros((3, 7)), np.array([0, 3, 6])) == pytest.approx(np.log(7))
    assert log_loss(np.array([[1e4, 0.0]]), np.array([1])) == pytest.approx(1e4)
    assert softmax(np.array([[1e4, 0.0]])).tolist() == [[1.0, 0.0]]


def test_the_error_is_the_one_that_an_evaluation_reports(drawn):
    probabilities, labels = softmax(drawn[0][:400]), drawn[1][:400]
    figure = task.expected_calibration_error_ci(probabilities, labels, np.full(400, ""), Bootstrap(n_resamples=100))
    assert expected_calibration_error(probabilities, labels) == pytest.approx(figure.value)
