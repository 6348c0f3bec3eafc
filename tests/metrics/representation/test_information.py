import numpy as np
import pytest

from facedis.metrics.representation.information import (
    balanced_cross_entropy,
    fit_balanced_temperature,
    usable_information,
)
from facedis.metrics.statistics.intervals import Bootstrap

PLAN = Bootstrap(n_resamples=100)
NOBODY = np.array([""] * 400)


def bits(logits: np.ndarray, labels: np.ndarray) -> dict:
    return usable_information(logits, labels, NOBODY[: len(labels)], 1.0, PLAN)


def test_a_perfect_answer_says_all_and_an_undecided_one_nothing():
    labels = np.arange(400) % 4
    perfect = bits(100.0 * np.eye(4)[labels], labels)
    assert perfect["bits"].value == pytest.approx(2, abs=0.01)
    assert perfect["share"].value == pytest.approx(1, abs=0.01)
    nothing = bits(np.zeros((400, 4)), labels)
    assert nothing["bits"].value == nothing["share"].value == 0


def test_a_noisy_channel_says_what_theory_says():
    labels = np.arange(400) % 2
    told = np.where(np.arange(400) // 2 % 10 == 0, 1 - labels, labels)  # every tenth is wrong, in both classes
    logits = np.log(np.where(told[:, None] == np.arange(2), 0.9, 0.1))
    theory = 1 + 0.9 * np.log2(0.9) + 0.1 * np.log2(0.1)
    assert bits(logits, labels)["bits"].value == pytest.approx(theory, abs=0.005)


def test_confidence_that_is_wrong_costs_and_the_temperature_of_v_mends_it():
    generator = np.random.default_rng(0)
    labels = np.arange(400) % 3
    honest = np.eye(3)[labels] + generator.normal(size=(400, 3))
    boasting = 40 * honest
    assert bits(boasting, labels)["bits"].value == 0  # worse than saying nothing
    temperature = fit_balanced_temperature(boasting, labels)
    assert temperature == pytest.approx(40, rel=0.3)
    assert usable_information(boasting, labels, NOBODY, temperature, PLAN)["bits"].value > 0.3


def test_a_rare_class_counts_as_much_as_a_frequent_one():
    labels = np.repeat([0, 1], [390, 10])
    always_first = np.tile([np.log(0.975), np.log(0.025)], (400, 1))
    assert balanced_cross_entropy(always_first, labels, 1.0) > 1  # worse than a coin, although right for 97.5 %
    assert bits(always_first, labels)["bits"].value == 0


def test_one_impossible_answer_is_not_infinitely_bad():
    labels = np.arange(40) % 2
    logits = np.where(labels[:, None] == np.arange(2), 0.0, -np.inf)
    logits[0] = logits[0, ::-1]
    assert np.isfinite(balanced_cross_entropy(logits, labels, 1.0))
