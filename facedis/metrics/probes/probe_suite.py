"""All kinds of probes, fitted on one code."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from facedis.metrics.probes.boosting import boosting_probe
from facedis.metrics.probes.knn import knn_probe
from facedis.metrics.probes.linear import ProbeData, can_fit, linear_probe
from facedis.metrics.probes.mlp import mlp_probe
from facedis.metrics.probes.whitening import StandardisedPCA, fit_pca, whitened_probe


class FittedProbe(Protocol):
    """Interface of a fitted probe."""

    @property
    def val_score(self) -> float:
        """Balanced accuracy on V, 0..1."""

    @property
    def hyperparameters(self) -> Mapping[str, float]:
        """The values chosen on V."""

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log-odds of the (n, D) `codes`."""


_Fit = Callable[[ProbeData, ProbeData, int, int, StandardisedPCA], FittedProbe | None]
_FITS: dict[str, _Fit] = {
    "linear": lambda train, val, num_classes, seed, pca: linear_probe(train, val, num_classes),
    "whitened": lambda train, val, num_classes, seed, pca: whitened_probe(train, val, num_classes, pca),
    "mlp": lambda train, val, num_classes, seed, pca: mlp_probe(train, val, num_classes, seed, pca),
    "knn": lambda train, val, num_classes, seed, pca: knn_probe(train, val, num_classes, pca),
    "boosting": lambda train, val, num_classes, seed, pca: boosting_probe(train, val, num_classes, seed, pca),
}
#: All kinds of probes, in the order of reports.
PROBE_KINDS = tuple(_FITS)
#: The linear kinds, which take seconds.
LINEAR_KINDS = ("linear", "whitened")


def fit_probes(
    train: ProbeData, val: ProbeData, num_classes: int, kinds: Sequence[str], seed: int = 0
) -> dict[str, FittedProbe]:
    """Fit probes of all `kinds` on P, with hyperparameters chosen on V.

    Args:
        train: P.
        val: V.
        num_classes: K.
        kinds: Kinds out of `PROBE_KINDS`.
        seed: Seed of the kinds that use randomness.

    Returns:
        The probes by kind, without those that cannot be fitted.
    """
    if not can_fit(train, val):
        return {}
    pca = fit_pca(train.codes)
    probes = {kind: _FITS[kind](train, val, num_classes, seed, pca) for kind in kinds}
    return {kind: probe for kind, probe in probes.items() if probe is not None}
