import numpy as np
import pytest

from facedis.metrics.probes.linear import ProbeData, linear_probe
from facedis.metrics.probes.mlp import mlp_probe, mlp_regression


def crossed(n: int, seed: int) -> ProbeData:
    """The class is whether two signs agree, which no linear classifier predicts."""
    codes = np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)
    return ProbeData(codes, (codes[:, 0] * codes[:, 1] > 0).astype(int))


def score(probe, test: ProbeData) -> float:
    return float((probe.logits(test.codes).argmax(axis=1) == test.labels).mean())


def test_xor_is_classified():
    train, val, test = crossed(800, 0), crossed(300, 1), crossed(800, 2)
    assert score(mlp_probe(train, val, 2, restarts=1), test) > 0.9
    assert score(linear_probe(train, val, 2), test) < 0.6


def test_random_labels_are_at_chance():
    parts = [ProbeData(crossed(400, seed).codes, np.random.default_rng(seed).integers(0, 2, 400)) for seed in range(3)]
    assert score(mlp_probe(*parts[:2], 2, restarts=1), parts[2]) == pytest.approx(0.5, abs=0.08)


def test_constant_code_is_at_chance():
    labels = np.arange(60) % 3
    constant = ProbeData(np.full((60, 4), 0.3, np.float32), labels)
    assert score(mlp_probe(constant, constant, 3, restarts=1), constant) == pytest.approx(1 / 3, abs=1e-12)


def test_best_restart_on_val_is_chosen():
    train, val = crossed(200, 0), crossed(200, 1)
    one, two = (mlp_probe(train, val, 2, restarts=starts) for starts in (1, 2))
    assert two.val_score >= one.val_score
    assert two.val_score == pytest.approx(score(two, val), abs=0.02)


def test_quadratic_targets_are_predicted():
    def part(seed: int) -> tuple[np.ndarray, np.ndarray]:
        codes = np.random.default_rng(seed).uniform(-1, 1, (600, 3))
        return codes, codes[:, :1] ** 2 / 0.3

    (x, y), (x_val, y_val), (x_test, y_test) = (part(seed) for seed in range(3))
    probe = mlp_regression((x, x_val), (y, y_val), restarts=1)
    error = ((probe.logits(x_test) - y_test) ** 2).mean()
    assert error < 0.1 * y_test.var()


def test_results_are_deterministic_and_none_without_two_classes():
    train, val = crossed(100, 0), crossed(60, 1)
    first, second = (mlp_probe(train, val, 2, seed=3, restarts=1) for _ in range(2))
    assert (first.logits(train.codes) == second.logits(train.codes)).all()
    assert mlp_probe(ProbeData(train.codes, np.zeros(100, int)), val, 2) is None
    assert mlp_probe(train, ProbeData(train.codes[:0], train.labels[:0]), 2) is None
