"""Which faces of a cache show one person in one setting: each is what a swap of another should look like."""

import numpy as np

from facedis.faces.cache.cache import FacesCache

#: Of a rendered face, how strong its expression is; every other factor is its setting.
INTENSITY = "intensity"
#: Readers of datasets that show each person in one pose and light.
SAME_CAPTURE_DATASETS = ("ckplus", "ckplus48", "jaffe")


def scene_ids(cache: FacesCache) -> np.ndarray:
    """(n,) int scene of each face; -1 where no other face is known to show that person in that pose and light."""
    people, factors = cache.identities, cache.factors
    if INTENSITY in factors:
        settings = [values for name, values in factors.items() if name != INTENSITY]
        rows = np.column_stack([np.unique(people, return_inverse=True)[1], *settings]).round(5)
        _, scene, n = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    elif cache.info.dataset in SAME_CAPTURE_DATASETS:
        _, scene, n = np.unique(people, return_inverse=True, return_counts=True)
    else:
        return np.full(len(people), -1)
    return np.where((people != "") & (n[scene] > 1), scene, -1)
