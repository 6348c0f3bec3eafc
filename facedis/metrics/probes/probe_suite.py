"""Every kind of fresh probe on one code, and which of them reads most."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from facedis.metrics.probes.boosting import boosting_probe
from facedis.metrics.probes.knn import neighbour_probe
from facedis.metrics.probes.mlp import mlp_probe
from facedis.metrics.probes.probes import Part, linear_probe
from facedis.metrics.probes.whitening import Basis, principal, whitened_probe


class FreshProbe(Protocol):
    """What every kind of probe can do once it is fitted."""

    @property
    def selection(self) -> float:
        """Balanced accuracy on V, 0..1."""

    @property
    def setting(self) -> Mapping[str, float]:
        """What V chose."""

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log-odds of the (n, D) `codes`."""


_Fit = Callable[[Part, Part, int, int, Basis], FreshProbe | None]
_KINDS: dict[str, _Fit] = {
    "linear": lambda fit, chosen, classes, seed, basis: linear_probe(fit, chosen, classes),
    "whitened": lambda fit, chosen, classes, seed, basis: whitened_probe(fit, chosen, classes, basis),
    "mlp": lambda fit, chosen, classes, seed, basis: mlp_probe(fit, chosen, classes, seed, basis),
    "knn": lambda fit, chosen, classes, seed, basis: neighbour_probe(fit, chosen, classes, basis),
    "boosting": lambda fit, chosen, classes, seed, basis: boosting_probe(fit, chosen, classes, seed, basis),
}
#: Every kind, in the order in which they are shown.
ALL = tuple(_KINDS)
#: The kinds that take seconds.
LINEAR = ("linear", "whitened")


def fresh_probes(
    fit: Part, selection: Part, classes: int, kinds: Sequence[str], seed: int = 0
) -> dict[str, FreshProbe]:
    """Probes of each of the `kinds`, fitted on P and set on V; those that cannot be are left out.

    Args:
        fit: P.
        selection: V.
        classes: K.
        kinds: Out of `ALL`.
        seed: Of those that draw.
    """
    if len(np.unique(fit.labels)) < 2 or len(selection.labels) == 0:
        return {}
    basis = principal(fit.codes)
    found = {kind: _KINDS[kind](fit, selection, classes, seed, basis) for kind in kinds}
    return {kind: probe for kind, probe in found.items() if probe is not None}
