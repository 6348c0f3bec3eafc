"""Further factors as classes."""

import numpy as np
import pytest

from facedis.errors import ConfigError
from facedis.faces.cache.cache import FacesCache
from facedis.training.targets import factor_targets
from tests.conftest import write_cache


def test_people_are_classes_by_name(tmp_path):
    with FacesCache.open(write_cache(tmp_path / "faces.h5")) as cache:
        rows = cache.rows("train")
        target = factor_targets(cache, rows, ("identity",))["identity"]
        names = cache.identities[rows]
        assert target.size == len(np.unique(names)) and target.to_dict() == {"size": target.size}
        assert all((target.labels[names == name] == target.labels[names == name][0]).all() for name in names)


def test_a_factor_that_the_faces_do_not_have_is_named_with_those_they_have(tmp_path):
    with FacesCache.open(write_cache(tmp_path / "faces.h5")) as cache, pytest.raises(ConfigError, match="identity"):
        factor_targets(cache, cache.rows("train"), ("yaw",))
