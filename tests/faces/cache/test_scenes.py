"""Which faces are known to show one person in one pose and light."""

from types import SimpleNamespace

import numpy as np
import pytest

from facedis.faces.cache.cache import FacesCache
from facedis.faces.cache.scenes import scene_ids
from tests.conftest import write_cache


def known(identities, dataset="rendered", **factors):
    return SimpleNamespace(
        identities=np.array(identities),
        factors={name: np.array(values, np.float32) for name, values in factors.items()},
        info=SimpleNamespace(dataset=dataset),
    )


def test_a_scene_is_one_person_in_one_setting_however_strong_the_expression():
    cache = known(["a", "a", "a", "b", "b", ""], intensity=[0, 0.5, 1, 0, 1, 1], yaw=[0.1, 0.1, 0.2, 0.1, 0.1, 0.1])
    found = scene_ids(cache)
    assert found[0] == found[1] != -1 and found[3] == found[4] not in (-1, found[0])
    assert found[2] == found[5] == -1


@pytest.mark.parametrize("dataset, many", [("ckplus", 12), ("jaffe", 12), ("affectnet", 0), ("rendered", 0)])
def test_photographs_of_a_dataset_that_was_taken_in_one_setting_are_one_scene_each_person(tmp_path, dataset, many):
    with FacesCache.open(write_cache(tmp_path / "faces.h5", version_of=dataset)) as cache:
        found = scene_ids(cache)
    assert len(np.unique(found[found >= 0])) == many
