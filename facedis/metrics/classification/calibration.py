"""Temperature scaling and expected calibration error."""

import numpy as np

from facedis.metrics.statistics.intervals import Bootstrap, group_ids, percentile_interval, resample_sums
from facedis.result import Estimate

#: Number of confidence bins of the calibration error.
BINS = 15
#: Smallest and largest temperature of `fit_temperature`.
TEMPERATURE_RANGE = 0.05, 20.0
_BISECTIONS = 50


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """(n, K) float64 probabilities of (n, K) `logits` divided by `temperature`."""
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature within `TEMPERATURE_RANGE` that maximises the likelihood of `labels`.

    The log-likelihood is concave in 1 / temperature, so bisection finds its maximum.

    Args:
        logits: (n, K), n at least 1.
        labels: (n,) int.

    Source: Guo et al., On Calibration of Modern Neural Networks, 2017, section 4.2.
    """
    low, high = 1 / TEMPERATURE_RANGE[1], 1 / TEMPERATURE_RANGE[0]
    of_label = np.take_along_axis(np.asarray(logits, np.float64), labels[:, None], axis=1)[:, 0]
    for _ in range(_BISECTIONS):
        middle = (low * high) ** 0.5
        expected = (softmax(logits, 1 / middle) * logits).sum(axis=1)
        if (expected - of_label).mean() <= 0:  # the derivative of the loss by 1 / temperature
            low = middle
        else:
            high = middle
    return float((low * high) ** -0.5)


def log_loss(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> float:
    """Mean negative log-likelihood of the (n,) `labels`, in nats."""
    scaled = np.asarray(logits, np.float64) / temperature
    top = scaled.max(axis=1)
    total = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top
    return float((total - np.take_along_axis(scaled, labels[:, None], axis=1)[:, 0]).mean())


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error (ECE) over 15 bins of equal width: 0 where confidence equals accuracy.

    The mean over images of |accuracy - confidence| of their bin. Bins are open on the left and closed on the right.

    Args:
        probabilities: (n, K), rows summing to 1.
        labels: (n,) int.

    Source: Naeini et al., Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI 2015;
    Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
    """
    return float(_error(_calibration_terms(probabilities, labels).sum(axis=0)))


def expected_calibration_error_ci(
    probabilities: np.ndarray, labels: np.ndarray, identities: np.ndarray, bootstrap: Bootstrap
) -> Estimate:
    """`expected_calibration_error` with an interval.

    A resample has a larger error than the images it is drawn from, because noise adds to every bin. The
    interval is therefore shifted by the bootstrap's mean difference, so that it lies around the value.

    Args:
        probabilities: (n, K), rows summing to 1.
        labels: (n,) int.
        identities: (n,) str, "" where unknown.
        bootstrap: Number of resamples and seed.
    """
    terms = _calibration_terms(probabilities, labels)
    value, groups = float(_error(terms.sum(axis=0))), group_ids(identities)
    if groups.max() == 0:
        return Estimate(value, n=len(labels))
    values = resample_sums(terms, _error, groups, bootstrap)
    low, high = percentile_interval(np.clip(values - values.mean() + value, 0, 1))
    return Estimate(value, low, high, n=len(labels))


def _calibration_terms(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n, BINS + 1) confidence minus correctness of each image in its bin's column, and 1 in the last."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    hits = probabilities.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    terms = np.zeros((len(labels), BINS + 1))
    terms[np.arange(len(labels)), bins] = confidence - hits
    terms[:, BINS] = 1
    return terms


def _error(sums: np.ndarray) -> np.ndarray:
    return np.abs(sums[..., :BINS]).sum(axis=-1) / sums[..., BINS]
