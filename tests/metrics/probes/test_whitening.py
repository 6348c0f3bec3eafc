import numpy as np
import pytest

from facedis.metrics.probes.linear import ProbeData, linear_probe
from facedis.metrics.probes.whitening import fit_pca, whitened_probe

CLASSES = 3


def quiet(n: int, seed: int, loudness: float = 1e-3) -> ProbeData:
    """The class lies in the difference of two numbers that are otherwise the same loud noise."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % CLASSES
    loud = generator.normal(size=(n, 6))
    loud[:, 1] = loud[:, 0] + loudness * (labels - 1 + 0.2 * generator.normal(size=n))
    return ProbeData(loud.astype(np.float32), labels)


def score(probe, test: ProbeData) -> float:
    return float((probe.logits(test.codes).argmax(axis=1) == test.labels).mean())


def test_whitened_codes_have_covariance_one_and_turned_ones_keep_their_distances():
    codes = np.random.default_rng(0).normal(size=(200, 5)) @ np.random.default_rng(1).normal(size=(5, 5)) + 3
    basis = fit_pca(codes)
    assert np.cov(basis.whiten(codes).T, bias=True) == pytest.approx(np.eye(5), abs=1e-4)
    standard = (codes - codes.mean(0)) / codes.std(0)
    turned = basis.project(codes)
    assert np.linalg.norm(turned[3] - turned[7]) == pytest.approx(np.linalg.norm(standard[3] - standard[7]), rel=1e-5)
    assert (np.diff(basis.std) <= 0).all()


def test_a_leak_in_a_quiet_direction_is_found():
    fit, selection, test = quiet(600, 0), quiet(300, 1), quiet(600, 2)
    assert score(whitened_probe(fit, selection, CLASSES), test) > 0.95
    assert score(linear_probe(fit, selection, CLASSES), test) < 0.6  # why whitening is needed


def test_rounding_is_not_taken_for_a_direction():
    generator = np.random.default_rng(0)
    one = generator.normal(size=(300, 1))
    rounded = (one @ generator.normal(size=(1, 8)) + 2).astype(np.float32)  # one number, eight roundings
    assert len(fit_pca(rounded).std) == 1


def test_only_the_loudest_directions_of_a_wide_code_are_kept():
    codes = np.random.default_rng(0).normal(size=(50, 30))
    codes[:, 7] = codes[:, 8]
    basis = fit_pca(codes, most=4)
    assert len(basis.std) == 4
    assert basis.std[0] > 1.2


def test_a_constant_code_has_no_direction_and_reads_exactly_chance():
    labels = np.arange(90) % CLASSES
    constant = ProbeData(np.full((90, 4), 0.1, np.float32), labels)
    assert fit_pca(constant.codes).project(constant.codes).shape == (90, 0)
    assert score(whitened_probe(constant, constant, CLASSES), constant) == pytest.approx(1 / 3, abs=1e-12)


def test_without_two_classes_or_without_v_there_is_no_probe():
    data = quiet(30, 0)
    assert whitened_probe(ProbeData(data.codes, np.zeros(30, int)), data, CLASSES) is None
    assert whitened_probe(data, ProbeData(data.codes[:0], data.labels[:0]), CLASSES) is None
