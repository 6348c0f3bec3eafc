"""Further factors of the faces as class labels: identities by name, continuous factors in quantile bins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from facedis.errors import ConfigError
from facedis.faces.cache.cache import FacesCache

#: Number of classes of a continuous factor, equally frequent in the train split.
BINS = 5


@dataclass(frozen=True)
class Target:
    """One factor of the train rows.

    Attributes:
        labels: (n,) int in 0..size-1, -1 where unknown.
        size: Number of classes.
        edges: Bin edges of a continuous factor; empty for identities.
    """

    labels: np.ndarray
    size: int
    edges: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The entry of run.json."""
        return {"size": self.size} | ({"edges": list(self.edges)} if self.edges else {})


def factor_targets(cache: FacesCache, rows: np.ndarray, factors: tuple[str, ...]) -> Mapping[str, Target]:
    """The targets of the train `rows`, by factor.

    Raises:
        ConfigError: The cache has no such factor, or it is constant.
    """
    return {
        name: _identity_target(cache, rows) if name == "identity" else _binned_target(cache, rows, name)
        for name in factors
    }


def _identity_target(cache: FacesCache, rows: np.ndarray) -> Target:
    names = cache.identities[rows]
    known = np.unique(names[names != ""])
    if len(known) < 2:
        raise ConfigError(
            f"the train split of {cache.path} has no identities",
            "leave out --factors identity, or align a dataset with identities (CK+, CASIA-WebFace, rendered faces)",
        )
    labels = np.where(names != "", np.searchsorted(known, names), -1)
    return Target(labels.astype(np.int64), len(known))


def _binned_target(cache: FacesCache, rows: np.ndarray, name: str) -> Target:
    if name not in cache.factors:
        there = ", ".join(("identity", *cache.factors))
        raise ConfigError(f"{cache.path} has no factor '{name}'", f"choose one of: {there}")
    values = cache.factors[name][rows]
    known = np.isfinite(values)
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, BINS + 1)[1:-1])) if known.any() else np.empty(0)
    labels = np.where(known, np.searchsorted(edges, values, "right"), -1)
    size = int(labels.max()) + 1
    if size < 2:
        raise ConfigError(f"'{name}' is the same for all faces of {cache.path}", "leave it out of --factors")
    return Target(labels.astype(np.int64), size, tuple(float(edge) for edge in edges))
