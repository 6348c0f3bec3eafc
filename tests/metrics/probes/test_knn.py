import numpy as np
import pytest

from facedis.metrics.probes.knn import K_GRID, knn_probe
from facedis.metrics.probes.linear import ProbeData


def rings(n: int, seed: int) -> ProbeData:
    """Three concentric rings, one per class."""
    generator = np.random.default_rng(seed)
    labels, angle = np.arange(n) % 3, generator.uniform(0, 2 * np.pi, n)
    radius = 1 + labels + 0.1 * generator.normal(size=n)
    return ProbeData(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32), labels)


def test_rings_are_classified():
    train, val, test = rings(600, 0), rings(200, 1), rings(300, 2)
    probe = knn_probe(train, val, 3)
    assert (probe.logits(test.codes).argmax(axis=1) == test.labels).mean() > 0.95
    assert probe.hyperparameters["k"] in K_GRID


def test_neighbours_are_the_nearest():
    train, val, test = rings(60, 0), rings(30, 1), rings(20, 2)
    probe = knn_probe(train, val, 3)
    x, x_test = (probe.pca.transform(part.codes, probe.whitened).astype(float) for part in (train, test))
    nearest = np.argsort(((x_test[:, None] - x) ** 2).sum(axis=2), axis=1)[:, : probe.k]
    votes = np.eye(3)[train.labels][nearest].sum(axis=1)  # the classes are of equal size
    expected = (votes + 0.5 / 3) / (probe.k + 0.5)
    assert np.exp(probe.logits(test.codes)) == pytest.approx(expected)


def test_votes_are_class_balanced():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], [950, 50])
    train = ProbeData(generator.normal(size=(1000, 2)), labels)  # noise
    even = ProbeData(generator.normal(size=(1000, 2)), np.arange(1000) % 2)
    predictions = knn_probe(train, even, 2).logits(even.codes).argmax(axis=1)
    assert 0.2 < predictions.mean() < 0.8


def test_constant_code_is_at_chance_with_finite_logits():
    labels = np.arange(60) % 3
    constant = ProbeData(np.full((60, 4), 0.3, np.float32), labels)
    logits = knn_probe(constant, constant, 3).logits(constant.codes)
    assert (logits.argmax(axis=1) == labels).mean() == pytest.approx(1 / 3, abs=1e-12)
    assert np.isfinite(logits).all()
    assert np.exp(logits).sum(axis=1) == pytest.approx(1)


def test_few_faces_and_a_single_class():
    few = rings(6, 0)
    assert knn_probe(few, few, 3).k in (1, 5)
    assert knn_probe(ProbeData(few.codes, np.zeros(6, int)), few, 3) is None
