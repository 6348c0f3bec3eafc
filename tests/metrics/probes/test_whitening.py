import numpy as np
import pytest

from facedis.metrics.probes.linear import ProbeData, linear_probe
from facedis.metrics.probes.whitening import fit_pca, whitened_probe

CLASSES = 3


def low_variance(n: int, seed: int, scale: float = 1e-3) -> ProbeData:
    """The class is the small difference of two dimensions with the same large noise."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % CLASSES
    codes = generator.normal(size=(n, 6))
    codes[:, 1] = codes[:, 0] + scale * (labels - 1 + 0.2 * generator.normal(size=n))
    return ProbeData(codes.astype(np.float32), labels)


def score(probe, test: ProbeData) -> float:
    return float((probe.logits(test.codes).argmax(axis=1) == test.labels).mean())


def test_whitening_gives_unit_covariance_and_pca_preserves_distances():
    codes = np.random.default_rng(0).normal(size=(200, 5)) @ np.random.default_rng(1).normal(size=(5, 5)) + 3
    pca = fit_pca(codes)
    assert np.cov(pca.transform(codes, whiten=True).T, bias=True) == pytest.approx(np.eye(5), abs=1e-4)
    standard = (codes - codes.mean(0)) / codes.std(0)
    projected = pca.transform(codes)
    assert np.linalg.norm(projected[3] - projected[7]) == pytest.approx(
        np.linalg.norm(standard[3] - standard[7]), rel=1e-5
    )
    assert (np.diff(pca.std) <= 0).all()


def test_low_variance_directions_are_classified():
    train, val, test = low_variance(600, 0), low_variance(300, 1), low_variance(600, 2)
    assert score(whitened_probe(train, val, CLASSES), test) > 0.95
    assert score(linear_probe(train, val, CLASSES), test) < 0.6  # without whitening


def test_rounding_is_not_a_component():
    generator = np.random.default_rng(0)
    one = generator.normal(size=(300, 1))
    rounded = (one @ generator.normal(size=(1, 8)) + 2).astype(np.float32)  # eight roundings of one variable
    assert len(fit_pca(rounded).std) == 1


def test_max_components_keeps_the_leading_components():
    codes = np.random.default_rng(0).normal(size=(50, 30))
    codes[:, 7] = codes[:, 8]
    pca = fit_pca(codes, max_components=4)
    assert len(pca.std) == 4
    assert pca.std[0] > 1.2


def test_constant_code_has_no_component_and_is_at_chance():
    labels = np.arange(90) % CLASSES
    constant = ProbeData(np.full((90, 4), 0.1, np.float32), labels)
    assert fit_pca(constant.codes).transform(constant.codes).shape == (90, 0)
    assert score(whitened_probe(constant, constant, CLASSES), constant) == pytest.approx(1 / 3, abs=1e-12)


def test_single_class_or_empty_val_gives_none():
    data = low_variance(30, 0)
    assert whitened_probe(ProbeData(data.codes, np.zeros(30, int)), data, CLASSES) is None
    assert whitened_probe(data, ProbeData(data.codes[:0], data.labels[:0]), CLASSES) is None
