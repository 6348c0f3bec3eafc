"""Usable information: a lower bound, in bits, of the information about the class that a probe finds in a code."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_ci
from facedis.result import Estimate

#: Share of the uniform distribution in every prediction, which bounds the cost of a single error.
SMOOTHING = 1e-3


def log_likelihood(logits: np.ndarray, labels: np.ndarray, temperature: float) -> np.ndarray:
    """(n,) log2 of the smoothed probability of each of the (n,) `labels` under (n, K) `logits`."""
    scaled = logits / temperature
    probability = np.exp(scaled[np.arange(len(labels)), labels] - logsumexp(scaled, axis=1))
    return np.log2((1 - SMOOTHING) * probability + SMOOTHING / logits.shape[1])


def balanced_cross_entropy(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    """Cross-entropy in bits, averaged over the classes that occur."""
    costs = -log_likelihood(logits, labels, temperature)
    counts = np.bincount(labels)
    return float((np.bincount(labels, costs) / np.maximum(counts, 1)).sum() / (counts > 0).sum())


def fit_balanced_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that minimises `balanced_cross_entropy`, fitted on V.

    Source: Guo, Pleiss, Sun & Weinberger, On calibration of modern neural networks, ICML 2017.
    Deviation: the classes count equally and the probabilities are smoothed.
    """
    found = minimize_scalar(
        lambda power: balanced_cross_entropy(logits, labels, 10.0**power),
        bounds=(-6, 6),
        method="bounded",
        options={"xatol": 0.01},
    )
    return float(10**found.x)


def usable_information(
    logits: np.ndarray, labels: np.ndarray, identities: np.ndarray, temperature: float, bootstrap: Bootstrap
) -> dict[str, Estimate]:
    """Usable information of a probe's predictions, with a uniform prior over the classes.

    The entropy of the classes minus the probe's cross-entropy on Q, which is a lower bound of the mutual
    information. It is at least 0, because a constant prediction is always available.

    Args:
        logits: (n, K) of Q.
        labels: (n,) int.
        identities: (n,) str, "" where unknown.
        temperature: From `fit_balanced_temperature` on V.
        bootstrap: Number of resamples and seed.

    Returns:
        `bits` in 0..log2 K and `share` of the entropy in 0..1; K is the number of classes that occur.

    Source: Xu, Zhao, Song, Stewart & Ermon, A theory of usable information under computational
    constraints, ICLR 2020.
    """
    classes, indices = np.unique(labels, return_inverse=True)
    k, n = len(classes), len(labels)
    terms = np.zeros((n, 2 * k))
    terms[np.arange(n), indices] = -log_likelihood(logits, labels, temperature)
    terms[np.arange(n), k + indices] = 1

    def bits(sums: np.ndarray) -> np.ndarray:
        counts = sums[..., k:]
        present = (counts > 0).sum(axis=-1)
        costs = (sums[..., :k] / np.where(counts > 0, counts, 1)).sum(axis=-1) / present
        return np.maximum(np.log2(present) - costs, 0)

    def share(sums: np.ndarray) -> np.ndarray:
        present = (sums[..., k:] > 0).sum(axis=-1)
        return bits(sums) / np.log2(np.maximum(present, 2))

    return {
        "bits": bootstrap_ci(terms, bits, identities, bootstrap, 0.0),
        "share": bootstrap_ci(terms, share, identities, bootstrap, 0.0),
    }
