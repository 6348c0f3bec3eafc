"""What further factors a run learns, as classes: people by name, numbers in equal parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from facedis.errors import ConfigError
from facedis.faces.cache.cache import FacesCache

#: A number becomes this many classes, equally frequent in the train split.
BINS = 5


@dataclass(frozen=True)
class Target:
    """One factor of the train rows.

    Attributes:
        labels: (n,) int in 0..size-1, -1 where unknown.
        size: Number of classes.
        edges: Of a number: the borders between its classes; empty where the classes are names.
    """

    labels: np.ndarray
    size: int
    edges: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For run.json."""
        return {"size": self.size} | ({"edges": list(self.edges)} if self.edges else {})


def factor_targets(cache: FacesCache, rows: np.ndarray, factors: tuple[str, ...]) -> Mapping[str, Target]:
    """The targets of the train `rows` for each of `factors`.

    Raises:
        ConfigError: The cache does not know such a factor of these faces.
    """
    return {name: _people(cache, rows) if name == "identity" else _number(cache, rows, name) for name in factors}


def _people(cache: FacesCache, rows: np.ndarray) -> Target:
    names = cache.identities[rows]
    known = np.unique(names[names != ""])
    if len(known) < 2:
        raise ConfigError(
            f"the train split of {cache.path} does not say who is who",
            "leave out --factors identity, or align a dataset with identities (CK+, CASIA-WebFace, rendered faces)",
        )
    labels = np.where(names != "", np.searchsorted(known, names), -1)
    return Target(labels.astype(np.int64), len(known))


def _number(cache: FacesCache, rows: np.ndarray, name: str) -> Target:
    if name not in cache.factors:
        there = ", ".join(("identity", *cache.factors))
        raise ConfigError(f"{cache.path} knows no factor '{name}'", f"choose among: {there}")
    values = cache.factors[name][rows]
    known = np.isfinite(values)
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, BINS + 1)[1:-1])) if known.any() else np.empty(0)
    labels = np.where(known, np.searchsorted(edges, values, "right"), -1)
    size = int(labels.max()) + 1
    if size < 2:
        raise ConfigError(f"'{name}' is the same for all faces of {cache.path}", "leave it out of --factors")
    return Target(labels.astype(np.int64), size, tuple(float(edge) for edge in edges))
