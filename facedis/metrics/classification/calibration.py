"""Whether a probability of 80 % is right in 80 of 100 cases, and the one number that brings it nearer to that."""

import numpy as np

#: Bins of confidence behind the calibration error.
BINS = 15
#: Least and largest temperature; beyond it the logits say nothing that a temperature could mend.
TEMPERATURE_RANGE = 0.05, 20.0
_HALVINGS = 50


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """(n, K) float64 probabilities of (n, K) `logits` divided by `temperature`."""
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature within `TEMPERATURE_RANGE` under which `labels` are likeliest.

    The likelihood has one peak in 1 / temperature, so that halving finds it.

    Args:
        logits: (n, K), n at least 1.
        labels: (n,) int.

    Source: Guo et al., On Calibration of Modern Neural Networks, 2017, section 4.2.
    """
    low, high = 1 / TEMPERATURE_RANGE[1], 1 / TEMPERATURE_RANGE[0]
    own = np.take_along_axis(np.asarray(logits, np.float64), labels[:, None], axis=1)[:, 0]
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        expected = (softmax(logits, 1 / middle) * logits).sum(axis=1)
        if (expected - own).mean() <= 0:  # the loss does not rise yet: sharper is better
            low = middle
        else:
            high = middle
    return float((low * high) ** -0.5)


def log_loss(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> float:
    """Mean negative logarithm of the true class's probability, in nats."""
    scaled = np.asarray(logits, np.float64) / temperature
    top = scaled.max(axis=1)
    total = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top
    return float((total - np.take_along_axis(scaled, labels[:, None], axis=1)[:, 0]).mean())


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error: |accuracy - confidence| in bins of equal width, weighted by their faces.

    Args:
        probabilities: (n, K), rows summing to 1.
        labels: (n,) int.
        bins: Number of bins over 0..1.

    Source: Naeini et al., Obtaining Well Calibrated Probabilities Using Bayesian Binning, 2015.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(place, right - confidence, bins)
    return float(np.abs(gaps).sum() / len(labels))
