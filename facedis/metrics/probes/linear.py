"""Linear probes: class-balanced logistic regression on frozen codes.

A probe is fitted on probe_train (P), its hyperparameters are chosen on probe_val (V), and it is tested on
probe_test (Q). No person is in two of them, so that recognising people does not help.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from facedis.metrics.classification.accuracy import balanced_accuracy_score

#: Weights of the L2 penalty, from strong to weak.
L2_GRID = (1e2, 1e1, 1e0, 1e-1, 1e-2, 1e-3, 1e-4)
#: A standard deviation below this fraction of the largest value is float32 rounding.
ROUNDING_TOLERANCE = 4 * float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class ProbeData:
    """Codes and labels of P, V or Q.

    Attributes:
        codes: (n, D) float.
        labels: (n,) int in 0..K-1.
    """

    codes: np.ndarray
    labels: np.ndarray


def can_fit(train: ProbeData, val: ProbeData) -> bool:
    """Whether a probe can be fitted: P has at least two classes and V is not empty."""
    return len(np.unique(train.labels)) > 1 and len(val.labels) > 0


@dataclass(frozen=True)
class LinearProbe:
    """A fitted linear classifier of codes.

    Attributes:
        mean: (D,) mean of P's codes.
        scale: (D,) standard deviation of P's codes, 1 for a constant dimension.
        coef: (D, K) coefficients of the standardised codes.
        intercept: (K,); -inf for a class that P lacks, which is never predicted.
        l2: Weight of the penalty with the highest score on V.
        val_score: Balanced accuracy on V, 0..1.
    """

    mean: np.ndarray
    scale: np.ndarray
    coef: np.ndarray
    intercept: np.ndarray
    l2: float
    val_score: float

    @property
    def hyperparameters(self) -> dict[str, float]:
        """The values chosen on V."""
        return {"l2": self.l2}

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log-odds of the (n, D) `codes`."""
        return ((codes - self.mean) / self.scale) @ self.coef + self.intercept

    def predict(self, codes: np.ndarray) -> np.ndarray:
        """(n,) int class of each of the (n, D) `codes`."""
        return self.logits(codes).argmax(axis=1)


def linear_probe(train: ProbeData, val: ProbeData, num_classes: int) -> LinearProbe | None:
    """Fit a multinomial logistic regression on P, with the weight of the penalty chosen on V.

    The objective is the class-balanced mean cross-entropy plus l2 / 2 times the squared coefficients. Codes
    are standardised with the mean and standard deviation of P, so that the scale of a dimension has no effect.
    On a tie on V the stronger penalty is chosen.

    Returns:
        None where P or V is empty or P has a single class.

    Source: Alain & Bengio, Understanding intermediate layers using linear classifier probes, 2016.
    """
    if not can_fit(train, val):
        return None
    mean, scale = mean_and_scale(train.codes)
    codes = (train.codes - mean) / scale
    model = LogisticRegression(class_weight="balanced", warm_start=True, max_iter=300, tol=1e-4)
    best: LinearProbe | None = None
    for l2 in L2_GRID:  # each fit starts at the solution of the next stronger penalty
        model.C = 1 / (l2 * len(codes))
        with warnings.catch_warnings():  # weak penalties need no exact optimum, because V chooses among them
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(codes, train.labels)
        probe = LinearProbe(mean, scale, *_for_all_classes(model, num_classes), l2, 0.0)
        score = balanced_accuracy_score(val.labels, probe.predict(val.codes), num_classes)
        if best is None or score > best.val_score:
            best = replace(probe, val_score=score)
    return best


def mean_and_scale(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(D,) float64 mean and standard deviation of `codes`; 1 for the standard deviation of a constant dimension."""
    mean = codes.mean(axis=0, dtype=np.float64)
    scale = standard_deviations(codes)
    return mean, np.where(scale > 0, scale, 1.0)


def standard_deviations(codes: np.ndarray) -> np.ndarray:
    """(D,) float64 standard deviations of the (n, D) `codes`, 0 where they are only float32 rounding."""
    std = codes.std(axis=0, dtype=np.float64)
    return np.where(std > ROUNDING_TOLERANCE * np.abs(codes).max(axis=0), std, 0.0)


def _for_all_classes(model: LogisticRegression, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and intercepts of `model` for all classes, including those that P lacks."""
    coef = np.zeros((model.coef_.shape[1], num_classes))
    intercept = np.full(num_classes, -np.inf)
    if len(model.classes_) == 2:  # scikit-learn stores only the second class
        coef[:, model.classes_[1]] = model.coef_[0]
        intercept[model.classes_] = (0.0, model.intercept_[0])
    else:
        coef[:, model.classes_] = model.coef_.T
        intercept[model.classes_] = model.intercept_
    return coef, intercept
