import numpy as np
import pytest

from facedis.metrics.statistics.intervals import Bootstrap
from facedis.metrics.verification.cosine_distributions import (
    fraction_above,
    percentile_rank,
    quantiles,
    reference_distributions,
    threshold_above,
)

BOOTSTRAP = Bootstrap(n_resamples=300)


def test_percentile_rank_of_a_known_distribution():
    stored = quantiles(np.linspace(0, 1, 1001))
    assert len(stored) == 201
    for value, expected in ((0.25, 25), (0.9033, 90.33), (-1, 0), (2, 100), (0, 0), (1, 100)):
        assert percentile_rank(stored, value) == pytest.approx(expected, abs=0.26)
    assert percentile_rank(stored.tolist(), 0.9033) == pytest.approx(90.33)


def test_percentile_rank_of_repeated_values_is_their_middle():
    stored = quantiles(np.r_[np.zeros(500), np.ones(500)])
    assert percentile_rank(stored, 0.0) == pytest.approx(25, abs=0.5)
    assert percentile_rank(np.ones(201), 1.0) == 50


def test_reference_distributions_of_an_expression_code():
    labels, identities = np.arange(80) % 4, (np.arange(80) // 4).astype(str)
    found = reference_distributions(np.eye(4)[labels], labels, identities, BOOTSTRAP)
    assert (found["same"] == 1).all() and (found["different"] == 0).all()
    assert (found["same_person"] == 0).all() and (found["different_people"] == 1).all()
    assert found["expression_auc"].value == 1 and found["person_auc"].value == 0
    alone = reference_distributions(np.eye(4)[labels[:4]], labels[:4], identities[:4], BOOTSTRAP)
    assert [alone[kind] for kind in ("same", "different", "different_people", "expression_auc")] == [None] * 4


def test_threshold_above_and_fraction_above_agree():
    stored = quantiles(np.random.default_rng(0).normal(size=50_000))
    for share in (0.01, 0.05, 0.5):
        assert fraction_above(stored, threshold_above(stored, share)) == pytest.approx(share, abs=1e-3)
    assert fraction_above(stored, -99.0) == 1 and fraction_above(stored, 99.0) == 0
    assert fraction_above(np.ones(201), threshold_above(np.ones(201), 0.05)) == 0
