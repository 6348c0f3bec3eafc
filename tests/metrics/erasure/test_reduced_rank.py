import numpy as np

from facedis.metrics.erasure.reduced_rank import reduced_rank_basis


def test_basis_recovers_the_directions_of_the_targets():
    generator = np.random.default_rng(0)
    codes = generator.normal(size=(4000, 10))
    put, _ = np.linalg.qr(generator.normal(size=(10, 3)))
    targets = codes @ put @ generator.normal(size=(3, 12)) + 0.1 * generator.normal(size=(4000, 12))
    found = reduced_rank_basis(codes, targets, 3)
    assert found.shape == (10, 3)
    np.testing.assert_allclose(found.T @ found, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(found @ found.T, put @ put.T, atol=0.02)


def test_first_direction_is_the_most_predictive():
    codes = np.random.default_rng(1).normal(size=(4000, 5))
    targets = np.stack([3 * codes[:, 2], 0.5 * codes[:, 4]], axis=1)
    assert abs(reduced_rank_basis(codes, targets, 1)[2, 0]) > 0.99
