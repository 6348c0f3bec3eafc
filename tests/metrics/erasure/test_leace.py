import numpy as np
import pytest

from facedis.metrics.erasure.leace import fit_leace
from facedis.metrics.probes.linear import ProbeData, linear_probe

K = 3


def codes(n: int = 300, size: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % K
    mixed = generator.normal(size=(n, size)) @ np.random.default_rng(9).normal(size=(size, size))
    return mixed + 2 * np.random.default_rng(8).normal(size=(K, size))[labels] + 5, labels


def test_erased_classes_have_equal_means():
    x, labels = codes()
    erased = fit_leace(x, labels, K).erase(x)
    means = np.stack([erased[labels == k].mean(axis=0) for k in range(K)])
    assert np.abs(means - means.mean(axis=0)).max() < 1e-9
    assert np.abs(np.stack([x[labels == k].mean(axis=0) for k in range(K)]).std(axis=0)).max() > 0.5


def test_linear_probe_is_at_chance_after_erasure_and_not_before():
    x, labels = codes(600)
    other, truth = codes(600, seed=1)
    eraser = fit_leace(x, labels, K)

    def accuracy(train: np.ndarray, test: np.ndarray) -> float:
        probe = linear_probe(ProbeData(train, labels), ProbeData(train, labels), K)
        return float((probe.predict(test) == truth).mean())

    assert accuracy(x, other) > 0.6
    assert accuracy(eraser.erase(x), eraser.erase(other)) == pytest.approx(1 / 3, abs=0.06)


def test_projection_has_rank_k_minus_one_and_preserves_the_mean():
    x, labels = codes()
    eraser = fit_leace(x, labels, K)
    assert np.linalg.matrix_rank(eraser.projection, tol=1e-8) == K - 1
    assert eraser.projection @ eraser.projection == pytest.approx(eraser.projection, abs=1e-9)
    assert eraser.erase(x).mean(axis=0) == pytest.approx(x.mean(axis=0))


def test_change_is_smaller_than_that_of_a_mean_projection():
    x, labels = codes()
    means = np.stack([x[labels == k].mean(axis=0) for k in range(K)]) - x.mean(axis=0)
    axes = np.linalg.svd(means, full_matrices=False)[2][: K - 1]
    naive = x - (x - x.mean(axis=0)) @ axes.T @ axes
    cost = np.linalg.inv(np.cov(x.T))  # of the metric that LEACE minimises

    def change(moved: np.ndarray) -> float:
        return float(np.einsum("ij,jk,ik->", moved, cost, moved))

    assert change(fit_leace(x, labels, K).erase(x) - x) < change(naive - x)


def test_codes_without_the_concept_and_constant_codes_are_unchanged():
    x, _ = codes()
    twice = np.concatenate([x, x, x])  # each face with every label, so the code has no information on them
    every = np.repeat(np.arange(K), len(x))
    assert fit_leace(twice, every, K).erase(x) == pytest.approx(x)
    constant = np.full((30, 4), 0.1)
    assert (fit_leace(constant, np.arange(30) % K, K).erase(constant) == constant).all()


def test_duplicated_dimensions():
    x, labels = codes()
    doubled = np.concatenate([x, x], axis=1)
    erased = fit_leace(doubled, labels, K).erase(doubled)
    assert erased[:, :6] == pytest.approx(fit_leace(x, labels, K).erase(x), abs=1e-6)


def test_erased_float32_codes_have_nothing_left_to_erase():
    x, labels = codes()
    erased = fit_leace(x, labels, K).erase(x).astype(np.float32)
    assert np.linalg.matrix_rank(fit_leace(erased, labels, K).projection) == 0
