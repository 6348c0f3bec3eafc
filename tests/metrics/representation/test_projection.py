import numpy as np
import pytest

from facedis.metrics.representation.projection import MIN_FACES, project_2d


def test_separated_groups_stay_separated():
    group = np.arange(90) % 3
    codes = 8 * np.eye(3, 6)[group] + np.random.default_rng(0).normal(size=(90, 6))
    places = project_2d(codes, 0)
    assert places.shape == (90, 2)
    middles = np.stack([places[group == k].mean(axis=0) for k in range(3)])
    inside = max(np.linalg.norm(places[group == k] - middles[k], axis=1).mean() for k in range(3))
    assert min(np.linalg.norm(middles[i] - middles[j]) for i, j in ((0, 1), (0, 2), (1, 2))) > 2 * inside


def test_few_faces_are_projected_by_pca():
    codes = np.random.default_rng(0).normal(size=(MIN_FACES - 1, 5))
    places = project_2d(codes, 0)
    assert (np.diff(places.std(axis=0)) <= 1e-6).all()
    assert np.corrcoef(places.T)[0, 1] == pytest.approx(0, abs=1e-5)


def test_constant_and_one_dimensional_codes():
    assert (project_2d(np.ones((60, 4)), 0) == 0).all()
    line = project_2d(np.arange(60.0)[:, None], 0)
    assert line.shape == (60, 2) and (line[:, 1] == 0).all() and len(np.unique(line[:, 0])) == 60
