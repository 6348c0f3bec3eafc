"""Usable information: how many bits about the class a probe gets out of a code."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_ci
from facedis.result import Estimate

#: Share of doubt that is mixed into every answer: one mistake may not cost infinitely many bits.
SMOOTHING = 1e-3


def log_likelihood(logits: np.ndarray, labels: np.ndarray, temperature: float) -> np.ndarray:
    """(n,) log2 of the probability that (n, K) `logits` give each of the (n,) `labels`."""
    shown = logits / temperature
    likely = np.exp(shown[np.arange(len(labels)), labels] - logsumexp(shown, axis=1))
    return np.log2((1 - SMOOTHING) * likely + SMOOTHING / logits.shape[1])


def balanced_cross_entropy(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    """Cross-entropy in bits, every class that occurs counting the same."""
    costs = -log_likelihood(logits, labels, temperature)
    counts = np.bincount(labels)
    return float((np.bincount(labels, costs) / np.maximum(counts, 1)).sum() / (counts > 0).sum())


def fit_balanced_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """What to divide the logits by, so that their confidence is right for the faces of V.

    Source: Guo, Pleiss, Sun & Weinberger, On calibration of modern neural networks, ICML 2017.
    """
    found = minimize_scalar(
        lambda power: balanced_cross_entropy(logits, labels, 10.0**power),
        bounds=(-6, 6),
        method="bounded",
        options={"xatol": 0.01},
    )
    return float(10**found.x)


def usable_information(
    logits: np.ndarray, labels: np.ndarray, identities: np.ndarray, temperature: float, plan: Bootstrap
) -> dict[str, Estimate]:
    """What a probe's answers say about the class, every class being equally likely beforehand.

    Entropy of the classes minus the probe's cross-entropy on Q: a lower bound of the mutual
    information. It is not below 0, because an answer that ignores the code is always at hand.

    Args:
        logits: (n, K) of Q.
        labels: (n,) int.
        identities: (n,) str.
        temperature: The temperature that V gave.
        plan: Of the intervals.

    Returns:
        `bits` in 0..log2 K and `share` of the entropy in 0..1; K counts the classes that occur.

    Source: Xu, Zhao, Song, Stewart & Ermon, A theory of usable information under computational
    constraints, ICLR 2020.
    """
    classes, places = np.unique(labels, return_inverse=True)
    k, n = len(classes), len(labels)
    terms = np.zeros((n, 2 * k))
    terms[np.arange(n), places] = -log_likelihood(logits, labels, temperature)
    terms[np.arange(n), k + places] = 1

    def bits(sums: np.ndarray) -> np.ndarray:
        counts = sums[..., k:]
        present = (counts > 0).sum(axis=-1)
        costs = (sums[..., :k] / np.where(counts > 0, counts, 1)).sum(axis=-1) / present
        return np.maximum(np.log2(present) - costs, 0)

    def share(sums: np.ndarray) -> np.ndarray:
        present = (sums[..., k:] > 0).sum(axis=-1)
        return bits(sums) / np.log2(np.maximum(present, 2))

    return {
        "bits": bootstrap_ci(terms, bits, identities, plan, 0.0),
        "share": bootstrap_ci(terms, share, identities, plan, 0.0),
    }
