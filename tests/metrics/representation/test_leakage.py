from dataclasses import replace

import numpy as np
import pytest

from facedis.metrics.codes import CodeTable
from facedis.metrics.representation import leakage
from facedis.metrics.statistics.intervals import Bootstrap

PLAN = Bootstrap(n_resamples=200)
K = 4


def table(n: int, seed: int, rest_signal: float, trunk_signal: float = 4.0) -> CodeTable:
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % K
    shown = np.eye(K)[labels]
    rest, trunk = (s * shown + generator.normal(size=(n, K)) for s in (rest_signal, trunk_signal))
    uniform = np.full((n, K), 1 / K, np.float32)
    people = np.array([""] * n)
    return CodeTable(np.arange(n), trunk, rest, trunk, uniform, uniform, labels, people, people, ("a", "b", "c", "d"))


def linear(code: str, tables) -> leakage.ProbeResult:
    return leakage.run_probes([getattr(part, code) for part in tables], tables, ("linear",), PLAN)["linear"]


def parts(rest_signal: float, trunk_signal: float = 4.0) -> tuple[CodeTable, CodeTable, CodeTable]:
    return tuple(table(n, seed, rest_signal, trunk_signal) for seed, n in enumerate((800, 400, 800)))


def test_a_code_as_loud_as_the_trunk_leaks_all_and_noise_leaks_nothing():
    for signal, expected in ((4.0, 1.0), (0.0, 0.0)):
        tables = parts(signal)
        rest, trunk = (linear(code, tables) for code in ("rest", "trunk"))
        figure = leakage.normalised_leakage(rest, trunk, tables[2], PLAN)
        assert figure.value == pytest.approx(expected, abs=0.06)
        assert figure.low <= figure.value <= figure.high


def test_normalised_is_the_ratio_above_chance():
    tables = parts(1.0)
    rest, trunk = (linear(code, tables) for code in ("rest", "trunk"))
    figure = leakage.normalised_leakage(rest, trunk, tables[2], PLAN)
    assert figure.value == pytest.approx((rest.balanced_accuracy.value - 0.25) / (trunk.balanced_accuracy.value - 0.25))
    assert 0.1 < figure.low < figure.high < 0.9


def test_a_trunk_at_chance_is_nothing_to_compare_with():
    tables = parts(1.0, trunk_signal=0.0)
    rest, trunk = (linear(code, tables) for code in ("rest", "trunk"))
    assert leakage.normalised_leakage(rest, trunk, tables[2], PLAN) is None


def test_labels_shuffled_on_q_are_not_read():
    fit, selection, test = parts(4.0)
    shuffled = CodeTable(**{**vars(test), "labels": np.random.default_rng(0).permutation(test.labels)})
    figure = linear("rest", (fit, selection, shuffled)).balanced_accuracy
    assert figure.low <= 0.25 <= figure.high


def test_the_strongest_is_the_one_that_v_puts_first_with_its_own_interval():
    tables = parts(2.0)
    adversary, probe = leakage.adversary_result(tables, PLAN), linear("rest", tables)
    assert adversary.balanced_accuracy.value == 0.25  # undecided everywhere: the first class each time
    assert leakage.best_probe([adversary, None, probe]) is probe
    lucky = replace(adversary, balanced_accuracy=replace(adversary.balanced_accuracy, value=1.0))
    assert leakage.best_probe([lucky, probe]) is probe  # high on Q alone does not count
    assert leakage.best_probe([None]) is None


def test_without_v_the_adversary_stands_alone():
    fit, selection, test = parts(2.0)
    alone = leakage.adversary_result((fit, selection.take(np.zeros(400, bool)), test), PLAN)
    assert leakage.best_probe([alone]) is alone and alone.balanced_accuracy.n == 800


def test_no_adversary_no_reading():
    without = CodeTable(**{**vars(table(8, 0, 1.0)), "adversary": None})
    assert leakage.adversary_result((without, without, without), PLAN) is None


def test_information_grows_with_the_signal_and_is_nothing_without():
    bits = []
    for signal in (0.0, 1.0, 6.0):
        tables = parts(signal)
        found = leakage.best_usable_information(
            [linear("rest", tables), leakage.adversary_result(tables, PLAN)], tables[2], PLAN
        )
        bits.append(found["bits"].value)
        assert found["share"].value == pytest.approx(found["bits"].value / 2)
    assert bits[0] < 0.02 < bits[1] < bits[2] <= 2
    assert bits[2] > 1.9
    assert leakage.best_usable_information([None], tables[2], PLAN) is None


def test_an_undecided_adversary_is_at_its_fixed_point():
    state = leakage.adversary_diagnostics(np.full((40, K), 1 / K), np.array([""] * 40), PLAN)
    assert state["entropy"].value == pytest.approx(1)
    assert state["confusion_excess"].value == pytest.approx(0, abs=1e-12)


def test_one_answer_for_all_is_a_majority_share_of_one():
    one = np.tile([0.7, 0.1, 0.1, 0.1], (40, 1))
    state = leakage.adversary_diagnostics(one, np.array([""] * 40), PLAN)
    assert state["majority_share"].value == 1 and state["majority_share"].chance == 0.25
    assert state["entropy"].value == pytest.approx(-(0.7 * np.log(0.7) + 0.3 * np.log(0.1)) / np.log(4))
    assert state["confusion_excess"].value == pytest.approx(-(np.log(0.7) + 3 * np.log(0.1)) / 4 - np.log(4))


def test_a_certain_adversary_stays_finite():
    sure = np.eye(K, dtype=np.float32)[np.arange(40) % K]
    state = leakage.adversary_diagnostics(sure, np.array([""] * 40), PLAN)
    assert state["entropy"].value == pytest.approx(0, abs=1e-12)
    assert np.isfinite(state["confusion_excess"].value) and state["confusion_excess"].value > 10
