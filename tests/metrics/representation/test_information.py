import numpy as np
import pytest

from facedis.metrics.representation.information import (
    balanced_cross_entropy,
    fit_balanced_temperature,
    usable_information,
)
from facedis.metrics.statistics.intervals import Bootstrap

BOOTSTRAP = Bootstrap(n_resamples=100)
UNKNOWN = np.array([""] * 400)


def bits(logits: np.ndarray, labels: np.ndarray) -> dict:
    return usable_information(logits, labels, UNKNOWN[: len(labels)], 1.0, BOOTSTRAP)


def test_perfect_predictions_have_all_bits_and_uniform_ones_none():
    labels = np.arange(400) % 4
    perfect = bits(100.0 * np.eye(4)[labels], labels)
    assert perfect["bits"].value == pytest.approx(2, abs=0.01)
    assert perfect["share"].value == pytest.approx(1, abs=0.01)
    nothing = bits(np.zeros((400, 4)), labels)
    assert nothing["bits"].value == nothing["share"].value == 0


def test_noisy_channel_has_its_theoretical_capacity():
    labels = np.arange(400) % 2
    received = np.where(np.arange(400) // 2 % 10 == 0, 1 - labels, labels)  # 10 % errors in both classes
    logits = np.log(np.where(received[:, None] == np.arange(2), 0.9, 0.1))
    theory = 1 + 0.9 * np.log2(0.9) + 0.1 * np.log2(0.1)
    assert bits(logits, labels)["bits"].value == pytest.approx(theory, abs=0.005)


def test_overconfidence_costs_bits_and_the_temperature_restores_them():
    generator = np.random.default_rng(0)
    labels = np.arange(400) % 3
    calibrated = np.eye(3)[labels] + generator.normal(size=(400, 3))
    overconfident = 40 * calibrated
    assert bits(overconfident, labels)["bits"].value == 0  # below a uniform prediction
    temperature = fit_balanced_temperature(overconfident, labels)
    assert temperature == pytest.approx(40, rel=0.3)
    assert usable_information(overconfident, labels, UNKNOWN, temperature, BOOTSTRAP)["bits"].value > 0.3


def test_classes_count_equally():
    labels = np.repeat([0, 1], [390, 10])
    always_first = np.tile([np.log(0.975), np.log(0.025)], (400, 1))
    assert (
        balanced_cross_entropy(always_first, labels, 1.0) > 1
    )  # above that of a uniform prediction, although 97.5 % are correct
    assert bits(always_first, labels)["bits"].value == 0


def test_zero_probability_has_a_finite_cost():
    labels = np.arange(40) % 2
    logits = np.where(labels[:, None] == np.arange(2), 0.0, -np.inf)
    logits[0] = logits[0, ::-1]
    assert np.isfinite(balanced_cross_entropy(logits, labels, 1.0))
