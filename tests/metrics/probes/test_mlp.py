import numpy as np
import pytest

from facedis.metrics.probes import mlp
from facedis.metrics.probes.linear import ProbeData, linear_probe
from facedis.metrics.probes.mlp import mlp_probe, mlp_regression


def crossed(n: int, seed: int) -> ProbeData:
    """The class is whether two signs agree: no line tells it."""
    codes = np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)
    return ProbeData(codes, (codes[:, 0] * codes[:, 1] > 0).astype(int))


def score(probe, test: ProbeData) -> float:
    return float((probe.logits(test.codes).argmax(axis=1) == test.labels).mean())


def test_what_no_line_tells_is_read():
    fit, selection, test = crossed(800, 0), crossed(300, 1), crossed(800, 2)
    assert score(mlp_probe(fit, selection, 2, starts=1), test) > 0.9
    assert score(linear_probe(fit, selection, 2), test) < 0.6


def test_labels_that_mean_nothing_are_not_read():
    parts = [ProbeData(crossed(400, seed).codes, np.random.default_rng(seed).integers(0, 2, 400)) for seed in range(3)]
    assert score(mlp_probe(*parts[:2], 2, starts=1), parts[2]) == pytest.approx(0.5, abs=0.08)


def test_a_constant_code_reads_exactly_chance():
    labels = np.arange(60) % 3
    constant = ProbeData(np.full((60, 4), 0.3, np.float32), labels)
    assert score(mlp_probe(constant, constant, 3, starts=1), constant) == pytest.approx(1 / 3, abs=1e-12)


def test_the_slopes_are_those_of_the_loss():
    generator = np.random.default_rng(0)
    codes, labels = generator.normal(size=(6, 3)), np.array([0, 1, 2, 0, 1, 2])
    layers = [(w.astype(float), b.astype(float) + 0.1) for w, b in mlp._beginning((3, 5, 4, 3), generator)]
    task = mlp._Task(softmax=True, chances=np.full(6, 1 / 6), weights=np.full(6, 1 / 6))
    targets = np.eye(3)[labels]

    def loss() -> float:
        penalty = sum((weights**2).sum() for weights, _ in layers) * mlp.WEIGHT_DECAY / 2
        return task.loss(mlp._forward(layers, codes)[-1], targets) + penalty

    slopes = list(mlp._slopes(layers, codes, targets, task))
    flat = [w for layer in layers for w in layer]
    for weights, slope in zip(flat, slopes, strict=True):
        place = (1,) * weights.ndim
        before = weights[place]
        weights[place] = before + 1e-5
        above = loss()
        weights[place] = before - 1e-5
        below = loss()
        weights[place] = before
        assert slope[place] == pytest.approx((above - below) / 2e-5, rel=1e-4, abs=1e-9)


def test_v_takes_the_best_of_the_starts():
    fit, selection = crossed(200, 0), crossed(200, 1)
    one, two = (mlp_probe(fit, selection, 2, starts=starts) for starts in (1, 2))
    assert two.val_score >= one.val_score
    assert two.val_score == pytest.approx(score(two, selection), abs=0.02)


def test_numbers_that_bend_are_read():
    def part(seed: int) -> tuple[np.ndarray, np.ndarray]:
        codes = np.random.default_rng(seed).uniform(-1, 1, (600, 3))
        return codes, codes[:, :1] ** 2 / 0.3

    (known, wanted), (chosen, held), (asked, truth) = (part(seed) for seed in range(3))
    probe = mlp_regression((known, chosen), (wanted, held), starts=1)
    error = ((probe.logits(asked) - truth) ** 2).mean()
    assert error < 0.1 * truth.var()


def test_it_is_the_same_every_time_and_absent_without_two_classes():
    fit, selection = crossed(100, 0), crossed(60, 1)
    first, second = (mlp_probe(fit, selection, 2, seed=3, starts=1) for _ in range(2))
    assert (first.logits(fit.codes) == second.logits(fit.codes)).all()
    assert mlp_probe(ProbeData(fit.codes, np.zeros(100, int)), selection, 2) is None
    assert mlp_probe(fit, ProbeData(fit.codes[:0], fit.labels[:0]), 2) is None
