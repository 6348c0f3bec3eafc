"""Every kind of fresh probe on one code, and which of them reads most."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from facedis.metrics.probes.boosting import boosting_probe
from facedis.metrics.probes.knn import knn_probe
from facedis.metrics.probes.linear import ProbeData, linear_probe
from facedis.metrics.probes.mlp import mlp_probe
from facedis.metrics.probes.whitening import StandardisedPCA, fit_pca, whitened_probe


class FittedProbe(Protocol):
    """What every kind of probe can do once it is fitted."""

    @property
    def val_score(self) -> float:
        """Balanced accuracy on V, 0..1."""

    @property
    def hyperparameters(self) -> Mapping[str, float]:
        """What V chose."""

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log-odds of the (n, D) `codes`."""


_Fit = Callable[[ProbeData, ProbeData, int, int, StandardisedPCA], FittedProbe | None]
_KINDS: dict[str, _Fit] = {
    "linear": lambda fit, chosen, classes, seed, basis: linear_probe(fit, chosen, classes),
    "whitened": lambda fit, chosen, classes, seed, basis: whitened_probe(fit, chosen, classes, basis),
    "mlp": lambda fit, chosen, classes, seed, basis: mlp_probe(fit, chosen, classes, seed, basis),
    "knn": lambda fit, chosen, classes, seed, basis: knn_probe(fit, chosen, classes, basis),
    "boosting": lambda fit, chosen, classes, seed, basis: boosting_probe(fit, chosen, classes, seed, basis),
}
#: Every kind, in the order in which they are shown.
PROBE_KINDS = tuple(_KINDS)
#: The kinds that take seconds.
LINEAR_KINDS = ("linear", "whitened")


def fit_probes(
    fit: ProbeData, selection: ProbeData, classes: int, kinds: Sequence[str], seed: int = 0
) -> dict[str, FittedProbe]:
    """Probes of each of the `kinds`, fitted on P and set on V; those that cannot be are left out.

    Args:
        fit: P.
        selection: V.
        classes: K.
        kinds: Out of `PROBE_KINDS`.
        seed: Of those that draw.
    """
    if len(np.unique(fit.labels)) < 2 or len(selection.labels) == 0:
        return {}
    basis = fit_pca(fit.codes)
    found = {kind: _KINDS[kind](fit, selection, classes, seed, basis) for kind in kinds}
    return {kind: probe for kind, probe in found.items() if probe is not None}
