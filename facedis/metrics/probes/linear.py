"""Fresh classifiers on frozen codes: what can still be read from a code by somebody who tries anew.

A probe is fitted on P, its settings are chosen on V, and it is tested on Q. The three share no
person, so that it cannot win by recognising people.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from facedis.metrics.classification.accuracy import balanced_accuracy, confusion_matrix

#: Weights of the penalty that are tried, strongest first.
L2_GRID = (1e2, 1e1, 1e0, 1e-1, 1e-2, 1e-3, 1e-4)
#: A standard deviation below this share of the largest value is rounding of float32, not information.
ROUNDING_TOLERANCE = 4 * float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class ProbeData:
    """Codes for one use: to fit a probe (P), to choose its settings (V) or to test it (Q).

    Attributes:
        codes: (n, D) float.
        labels: (n,) int in 0..K-1.
    """

    codes: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class LinearProbe:
    """A fitted linear classifier of codes.

    Attributes:
        mean: (D,) mean of P's codes.
        scale: (D,) their standard deviation, 1 where a number never changes.
        coef: (D, K) of the standardised codes; an expression that P lacks is never answered.
        intercept: (K,)
        l2: The weight of the penalty that did best on V.
        val_score: Balanced accuracy on V with it, 0..1.
    """

    mean: np.ndarray
    scale: np.ndarray
    coef: np.ndarray
    intercept: np.ndarray
    l2: float
    val_score: float

    @property
    def hyperparameters(self) -> dict[str, float]:
        """What V chose."""
        return {"l2": self.l2}

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log-odds of the (n, D) `codes`; -inf for an expression that P lacks."""
        return (codes - self.mean) / self.scale @ self.coef + self.intercept

    def predict(self, codes: np.ndarray) -> np.ndarray:
        """(n,) The most likely class of each of the (n, D) `codes`."""
        return self.logits(codes).argmax(axis=1)


def linear_probe(fit: ProbeData, selection: ProbeData, classes: int) -> LinearProbe | None:
    """A multinomial logistic regression on P, its penalty chosen on V.

    Minimised is the class-balanced mean cross-entropy plus l2 / 2 times the squared weights. Codes
    are standardised with P's mean and deviation: a code may not hide by being small. On a tie on V
    the stronger penalty wins.

    Returns:
        None where P or V is empty or P has a single class.

    Source: Alain & Bengio, Understanding intermediate layers using linear classifier probes, 2016.
    """
    if len(np.unique(fit.labels)) < 2 or len(selection.labels) == 0:
        return None
    centre, scale = mean_and_scale(fit.codes)
    codes = (fit.codes - centre) / scale
    model = LogisticRegression(class_weight="balanced", warm_start=True, max_iter=300, tol=1e-4)
    best: LinearProbe | None = None
    for l2 in L2_GRID:  # each start is the solution under the next stronger penalty
        model.C = 1 / (l2 * len(codes))
        with warnings.catch_warnings():  # weak penalties need no exact optimum: V decides
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(codes, fit.labels)
        slopes, offsets = _all_classes(model, classes)
        probe = LinearProbe(centre, scale, slopes, offsets, l2, 0.0)
        score = float(balanced_accuracy(confusion_matrix(selection.labels, probe.predict(selection.codes), classes)))
        if best is None or score > best.val_score:
            best = LinearProbe(centre, scale, slopes, offsets, l2, score)
    return best


def mean_and_scale(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(D,) float64 mean and standard deviation of `codes`; deviation 1 for a number that never changes."""
    centre = codes.mean(axis=0, dtype=np.float64)
    scale = standard_deviations(codes)
    return centre, np.where(scale > 0, scale, 1.0)


def standard_deviations(codes: np.ndarray) -> np.ndarray:
    """(D,) float64 standard deviations of the (n, D) `codes`, 0 where they are only float32's rounding."""
    spread = codes.std(axis=0, dtype=np.float64)
    return np.where(spread > ROUNDING_TOLERANCE * np.abs(codes).max(axis=0), spread, 0.0)


def _all_classes(model: LogisticRegression, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """The weights of `model` spread over all classes, also those that it never saw."""
    slopes = np.zeros((model.coef_.shape[1], classes))
    offsets = np.full(classes, -np.inf)
    if len(model.classes_) == 2:  # sklearn keeps only the second class's row
        slopes[:, model.classes_[1]] = model.coef_[0]
        offsets[model.classes_] = (0.0, model.intercept_[0])
    else:
        slopes[:, model.classes_] = model.coef_.T
        offsets[model.classes_] = model.intercept_
    return slopes, offsets
