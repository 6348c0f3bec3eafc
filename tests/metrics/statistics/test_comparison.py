import numpy as np
import pytest
from scipy.stats import binom

from facedis.metrics.statistics.comparison import mcnemar, seed_summary
from facedis.metrics.statistics.intervals import Bootstrap

BOOTSTRAP = Bootstrap(n_resamples=200)


def test_mcnemar_uses_discordant_faces_only():
    first = np.array([1] * 50 + [1] * 9 + [0] * 1 + [0] * 40, bool)
    second = np.array([1] * 50 + [0] * 9 + [1] * 1 + [0] * 40, bool)
    found = mcnemar(first, second, np.array([""] * 100), BOOTSTRAP)
    assert (found.both, found.first, found.second, found.neither) == (50, 9, 1, 40)
    assert found.p == pytest.approx(2 * binom.cdf(1, 10, 0.5))
    assert found.difference.value == pytest.approx(0.08)
    assert found.difference.low < 0.08 < found.difference.high


def test_mcnemar_of_equal_models():
    hits = np.arange(30) % 3 == 0
    found = mcnemar(hits, hits, np.array([""] * 30), BOOTSTRAP)
    assert found.p == 1 and found.difference.value == 0


def test_seed_summary_has_mean_sd_and_t_interval():
    found = seed_summary([0.70, 0.72, 0.74])
    assert (found.mean, found.sd, found.n) == (pytest.approx(0.72), pytest.approx(0.02), 3)
    assert found.high - found.mean == pytest.approx(4.302653 * 0.02 / 3**0.5, rel=1e-6)  # t(2) at 97.5 %
    assert found.mean - found.low == pytest.approx(found.high - found.mean)


def test_seed_summary_of_a_single_seed_has_no_interval():
    found = seed_summary([0.7])
    assert (found.mean, found.sd, found.low, found.high, found.n) == (0.7, None, None, None, 1)
