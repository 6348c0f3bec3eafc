"""Regression probes: ridge regression and an MLP that predict numbers from codes, and their R^2."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from facedis.metrics.probes.mlp import mlp_regression
from facedis.metrics.probes.whitening import fit_pca
from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_ci
from facedis.result import Estimate

#: Weights of the L2 penalty, from strong to weak.
RIDGE_GRID = (1e2, 1e1, 1e0, 1e-1, 1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class RegressionData:
    """Codes and the numbers to predict from them.

    Attributes:
        codes: (n, D) float.
        targets: (n, m) float.
    """

    codes: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class RegressionResult:
    """Predictions of a regression probe on Q.

    Attributes:
        predictions: (n, m) in the unit of the targets.
        val_score: R^2 on V.
    """

    predictions: np.ndarray
    val_score: float


def ridge_probe(train: RegressionData, val: RegressionData, codes: np.ndarray) -> RegressionResult | None:
    """Ridge regression on standardised codes, with the weight of the penalty chosen on V.

    Args:
        train: P.
        val: V.
        codes: (n, D) of Q.

    Returns:
        None where P has fewer than two faces or V is empty.

    Source: Hoerl & Kennard, Ridge regression, Technometrics 12, 1970.
    """
    if not _can_fit(train, val):
        return None
    predict = fit_ridge(train, val)
    return RegressionResult(predict(codes), r2_score(val.targets, predict(val.codes)))


def fit_ridge(train: RegressionData, val: RegressionData) -> Callable[[np.ndarray], np.ndarray]:
    """The fitted regression of `ridge_probe`: a function from (n, D) codes to (n, m) numbers."""
    pca = fit_pca(train.codes)
    mean = train.targets.mean(axis=0)
    x, x_val = pca.transform(train.codes).astype(np.float64), pca.transform(val.codes)
    cross = x.T @ (train.targets - mean) / len(x)
    variances = (x**2).mean(axis=0)[:, None]  # the covariance of principal components is diagonal
    candidates = [cross / (variances + penalty) for penalty in RIDGE_GRID]
    errors = [((val.targets - mean - x_val @ coef) ** 2).sum() for coef in candidates]
    best = candidates[int(np.argmin(errors))]
    return lambda codes: mean + pca.transform(codes) @ best


def mlp_regression_probe(
    train: RegressionData, val: RegressionData, codes: np.ndarray, seed: int = 0
) -> RegressionResult | None:
    """An MLP with two hidden layers and early stopping on V; arguments and returns as of `ridge_probe`."""
    if not _can_fit(train, val):
        return None
    mean, scale = train.targets.mean(axis=0), train.targets.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    targets = (train.targets - mean) / scale, (val.targets - mean) / scale
    probe = mlp_regression((train.codes, val.codes), targets, seed)
    on_val, on_test = (probe.logits(part) * scale + mean for part in (val.codes, codes))
    return RegressionResult(on_test, r2_score(val.targets, on_val))


def r2_score(targets: np.ndarray, predictions: np.ndarray) -> float:
    """R^2 of (n, m) `predictions`: explained fraction of the variance summed over the columns; NaN without variance."""
    return float(_r2(_r2_terms(targets, predictions).sum(axis=0)))


def r2_ci(targets: np.ndarray, predictions: np.ndarray, identities: np.ndarray, bootstrap: Bootstrap) -> Estimate:
    """`r2_score` with an interval; 1 is perfect, 0 equals predicting the mean of Q, and it may be negative.

    Args:
        targets: (n, m) of Q.
        predictions: (n, m).
        identities: (n,) str, "" where unknown.
        bootstrap: Number of resamples and seed.
    """
    return bootstrap_ci(_r2_terms(targets, predictions), _r2, identities, bootstrap, 0.0)


def _can_fit(train: RegressionData, val: RegressionData) -> bool:
    return len(train.targets) > 1 and len(val.targets) > 0


def _r2_terms(targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """(n, m + 3) contribution of each face: its targets, their squared sum, its squared error, 1."""
    centred = targets - targets.mean(axis=0)  # R^2 is unchanged, and large targets do not cancel
    errors = ((targets - predictions) ** 2).sum(axis=1)
    return np.column_stack([centred, (centred**2).sum(axis=1), errors, np.ones(len(targets))])


def _r2(sums: np.ndarray) -> np.ndarray:
    n = sums[..., -1]
    variation = sums[..., -3] - (sums[..., :-3] ** 2).sum(axis=-1) / n
    return 1 - sums[..., -2] / np.where(variation > 0, variation, np.nan)
