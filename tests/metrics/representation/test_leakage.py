from dataclasses import replace

import numpy as np
import pytest

from facedis.metrics.codes import CodeTable
from facedis.metrics.representation import leakage
from facedis.metrics.statistics.intervals import Bootstrap

BOOTSTRAP = Bootstrap(n_resamples=200)
K = 4


def table(n: int, seed: int, rest_signal: float, trunk_signal: float = 4.0) -> CodeTable:
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % K
    one_hot = np.eye(K)[labels]
    rest, trunk = (s * one_hot + generator.normal(size=(n, K)) for s in (rest_signal, trunk_signal))
    uniform = np.full((n, K), 1 / K, np.float32)
    people = np.array([""] * n)
    return CodeTable(np.arange(n), trunk, rest, trunk, uniform, uniform, labels, people, people, ("a", "b", "c", "d"))


def linear(code: str, tables) -> leakage.ProbeResult:
    return leakage.run_probes([getattr(part, code) for part in tables], tables, ("linear",), BOOTSTRAP)["linear"]


def parts(rest_signal: float, trunk_signal: float = 4.0) -> tuple[CodeTable, CodeTable, CodeTable]:
    return tuple(table(n, seed, rest_signal, trunk_signal) for seed, n in enumerate((800, 400, 800)))


def test_normalised_leakage_of_signal_and_of_noise():
    for signal, expected in ((4.0, 1.0), (0.0, 0.0)):
        tables = parts(signal)
        rest, trunk = (linear(code, tables) for code in ("rest", "trunk"))
        estimate = leakage.normalised_leakage(rest, trunk, tables[2], BOOTSTRAP)
        assert estimate.value == pytest.approx(expected, abs=0.06)
        assert estimate.low <= estimate.value <= estimate.high


def test_normalised_leakage_is_the_ratio_above_chance():
    tables = parts(1.0)
    rest, trunk = (linear(code, tables) for code in ("rest", "trunk"))
    estimate = leakage.normalised_leakage(rest, trunk, tables[2], BOOTSTRAP)
    assert estimate.value == pytest.approx(
        (rest.balanced_accuracy.value - 0.25) / (trunk.balanced_accuracy.value - 0.25)
    )
    assert 0.1 < estimate.low < estimate.high < 0.9


def test_normalised_leakage_is_none_for_a_trunk_at_chance():
    tables = parts(1.0, trunk_signal=0.0)
    rest, trunk = (linear(code, tables) for code in ("rest", "trunk"))
    assert leakage.normalised_leakage(rest, trunk, tables[2], BOOTSTRAP) is None


def test_shuffled_test_labels_are_at_chance():
    fit, selection, test = parts(4.0)
    shuffled = CodeTable(**{**vars(test), "labels": np.random.default_rng(0).permutation(test.labels)})
    estimate = linear("rest", (fit, selection, shuffled)).balanced_accuracy
    assert estimate.low <= 0.25 <= estimate.high


def test_best_probe_is_chosen_on_val():
    tables = parts(2.0)
    adversary, probe = leakage.adversary_result(tables, BOOTSTRAP), linear("rest", tables)
    assert adversary.balanced_accuracy.value == 0.25  # uniform probabilities: always the first class
    assert leakage.best_probe([adversary, None, probe]) is probe
    lucky = replace(adversary, balanced_accuracy=replace(adversary.balanced_accuracy, value=1.0))
    assert leakage.best_probe([lucky, probe]) is probe  # the accuracy on Q has no influence
    assert leakage.best_probe([None]) is None


def test_adversary_result_without_val():
    fit, selection, test = parts(2.0)
    alone = leakage.adversary_result((fit, selection.take(np.zeros(400, bool)), test), BOOTSTRAP)
    assert leakage.best_probe([alone]) is alone and alone.balanced_accuracy.n == 800


def test_adversary_result_is_none_without_adversary():
    without = CodeTable(**{**vars(table(8, 0, 1.0)), "adversary": None})
    assert leakage.adversary_result((without, without, without), BOOTSTRAP) is None


def test_usable_information_grows_with_the_signal():
    bits = []
    for signal in (0.0, 1.0, 6.0):
        tables = parts(signal)
        found = leakage.best_usable_information(
            [linear("rest", tables), leakage.adversary_result(tables, BOOTSTRAP)], tables[2], BOOTSTRAP
        )
        bits.append(found["bits"].value)
        assert found["share"].value == pytest.approx(found["bits"].value / 2)
    assert bits[0] < 0.02 < bits[1] < bits[2] <= 2
    assert bits[2] > 1.9
    assert leakage.best_usable_information([None], tables[2], BOOTSTRAP) is None


def test_diagnostics_of_a_uniform_adversary():
    state = leakage.adversary_diagnostics(np.full((40, K), 1 / K), np.array([""] * 40), BOOTSTRAP)
    assert state["entropy"].value == pytest.approx(1)
    assert state["confusion_excess"].value == pytest.approx(0, abs=1e-12)


def test_diagnostics_of_a_constant_adversary():
    one = np.tile([0.7, 0.1, 0.1, 0.1], (40, 1))
    state = leakage.adversary_diagnostics(one, np.array([""] * 40), BOOTSTRAP)
    assert state["majority_share"].value == 1 and state["majority_share"].chance == 0.25
    assert state["entropy"].value == pytest.approx(-(0.7 * np.log(0.7) + 0.3 * np.log(0.1)) / np.log(4))
    assert state["confusion_excess"].value == pytest.approx(-(np.log(0.7) + 3 * np.log(0.1)) / 4 - np.log(4))


def test_diagnostics_of_a_certain_adversary_are_finite():
    sure = np.eye(K, dtype=np.float32)[np.arange(40) % K]
    state = leakage.adversary_diagnostics(sure, np.array([""] * 40), BOOTSTRAP)
    assert state["entropy"].value == pytest.approx(0, abs=1e-12)
    assert np.isfinite(state["confusion_excess"].value) and state["confusion_excess"].value > 10
