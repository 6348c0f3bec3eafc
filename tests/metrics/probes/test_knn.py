import numpy as np
import pytest

from facedis.metrics.probes.knn import K_GRID, _nearest, knn_probe
from facedis.metrics.probes.linear import ProbeData


def rings(n: int, seed: int) -> ProbeData:
    """Three rings around one centre: only distance tells them apart."""
    generator = np.random.default_rng(seed)
    labels, angle = np.arange(n) % 3, generator.uniform(0, 2 * np.pi, n)
    radius = 1 + labels + 0.1 * generator.normal(size=n)
    return ProbeData(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32), labels)


def test_rings_are_read_by_few_neighbours():
    fit, selection, test = rings(600, 0), rings(200, 1), rings(300, 2)
    probe = knn_probe(fit, selection, 3)
    assert (probe.logits(test.codes).argmax(axis=1) == test.labels).mean() > 0.95
    assert probe.hyperparameters["k"] in K_GRID


def test_the_nearest_are_the_nearest():
    generator = np.random.default_rng(0)
    known, asked = generator.normal(size=(40, 3)), generator.normal(size=(7, 3))
    slow = np.argsort(((asked[:, None] - known) ** 2).sum(axis=2), axis=1)[:, :5]
    assert (_nearest(known, asked, 5) == slow).all()


def test_a_frequent_class_does_not_win_by_being_frequent():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], [950, 50])
    fit = ProbeData(generator.normal(size=(1000, 2)), labels)  # nothing to read
    even = ProbeData(generator.normal(size=(1000, 2)), np.arange(1000) % 2)
    answers = knn_probe(fit, even, 2).logits(even.codes).argmax(axis=1)
    assert 0.2 < answers.mean() < 0.8


def test_a_constant_code_reads_chance_and_every_answer_is_finite():
    labels = np.arange(60) % 3
    constant = ProbeData(np.full((60, 4), 0.3, np.float32), labels)
    logits = knn_probe(constant, constant, 3).logits(constant.codes)
    assert (logits.argmax(axis=1) == labels).mean() == pytest.approx(1 / 3, abs=1e-12)
    assert np.isfinite(logits).all()
    assert np.exp(logits).sum(axis=1) == pytest.approx(1)


def test_fewer_faces_than_neighbours_and_no_second_class():
    few = rings(6, 0)
    assert knn_probe(few, few, 3).k in (1, 5)
    assert knn_probe(ProbeData(few.codes, np.zeros(6, int)), few, 3) is None
