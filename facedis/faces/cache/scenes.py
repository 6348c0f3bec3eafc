"""Groups of faces that show one person in the same pose and light: ground truth for expression swaps."""

import numpy as np

from facedis.faces.cache.cache import FacesCache

#: Factor of synthetic faces that a scene may vary; all other factors must agree.
INTENSITY = "intensity"
#: Datasets that show each person in one pose and light.
SAME_CAPTURE_DATASETS = ("ckplus", "ckplus48", "jaffe")


def scene_ids(cache: FacesCache) -> np.ndarray:
    """Return the (n,) int scene of each face; -1 if no other face is known to show the same scene."""
    people, factors = cache.identities, cache.factors
    if INTENSITY in factors:
        captures = [values for name, values in factors.items() if name != INTENSITY]
        rows = np.column_stack([np.unique(people, return_inverse=True)[1], *captures]).round(5)
        _, scene, n = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    elif cache.info.dataset in SAME_CAPTURE_DATASETS:
        _, scene, n = np.unique(people, return_inverse=True, return_counts=True)
    else:
        return np.full(len(people), -1)
    return np.where((people != "") & (n[scene] > 1), scene, -1)
