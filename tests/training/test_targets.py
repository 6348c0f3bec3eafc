"""Further factors as class labels."""

import numpy as np
import pytest

from facedis.errors import ConfigError
from facedis.faces.cache.cache import FacesCache
from facedis.training.targets import factor_targets
from tests.conftest import write_cache


def test_identities_are_classes(tmp_path):
    with FacesCache.open(write_cache(tmp_path / "faces.h5")) as cache:
        rows = cache.rows("train")
        target = factor_targets(cache, rows, ("identity",))["identity"]
        names = cache.identities[rows]
        assert target.size == len(np.unique(names)) and target.to_dict() == {"size": target.size}
        assert all((target.labels[names == name] == target.labels[names == name][0]).all() for name in names)


def test_an_unknown_factor_is_rejected_with_the_known_ones(tmp_path):
    with FacesCache.open(write_cache(tmp_path / "faces.h5")) as cache, pytest.raises(ConfigError, match="identity"):
        factor_targets(cache, cache.rows("train"), ("yaw",))
