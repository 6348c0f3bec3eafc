"""Numbers read out of codes: R^2 of ridge regression and of a small network."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from facedis.metrics.probes.mlp import mlp_regression
from facedis.metrics.probes.whitening import StandardisedPCA, fit_pca
from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_ci
from facedis.result import Estimate

#: Weights of the penalty that are tried, strongest first.
RIDGE_GRID = (1e2, 1e1, 1e0, 1e-1, 1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class RegressionData:
    """Codes with the numbers that are to be read from them.

    Attributes:
        codes: (n, D) float.
        targets: (n, m) float.
    """

    codes: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class RegressionResult:
    """Numbers predicted on Q.

    Attributes:
        predictions: (n, m) in the unit of the values.
        val_score: R^2 on V.
    """

    predictions: np.ndarray
    val_score: float


def ridge_probe(
    fit: RegressionData, selection: RegressionData, codes: np.ndarray, basis: StandardisedPCA | None = None
) -> RegressionResult | None:
    """Least squares with an L2 penalty on standardised codes, the penalty chosen on V.

    Args:
        fit: P.
        selection: V.
        codes: (n, D) of Q.
        basis: Of P's codes, where it is there already.

    Returns:
        None where P has fewer than two faces or V is empty.

    Source: Hoerl & Kennard, Ridge regression, Technometrics 12, 1970.
    """
    if len(fit.targets) < 2 or len(selection.targets) == 0:
        return None
    read = fit_ridge(fit, selection, basis)
    score = float(_r2(_sums(selection.targets, read(selection.codes)).sum(axis=0)))
    return RegressionResult(read(codes), score)


def fit_ridge(
    fit: RegressionData, selection: RegressionData, basis: StandardisedPCA | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """The fitted `ridge_probe` itself: from (n, D) codes to (n, m) numbers."""
    basis = basis or fit_pca(fit.codes)
    mean = fit.targets.mean(axis=0)
    known, tried = basis.project(fit.codes).astype(np.float64), basis.project(selection.codes)
    cross = known.T @ (fit.targets - mean) / len(known)
    squares = (known**2).mean(axis=0)[:, None]  # the axes are principal: their covariance is diagonal
    choices = [cross / (squares + penalty) for penalty in RIDGE_GRID]
    errors = [((selection.targets - mean - tried @ slopes) ** 2).sum() for slopes in choices]
    slopes = choices[int(np.argmin(errors))]
    return lambda codes: mean + basis.project(codes) @ slopes


def mlp_regression_probe(
    fit: RegressionData,
    selection: RegressionData,
    codes: np.ndarray,
    seed: int = 0,
    basis: StandardisedPCA | None = None,
) -> RegressionResult | None:
    """A network of two hidden layers, stopped early on V; arguments as of `ridge_probe`."""
    if len(fit.targets) < 2 or len(selection.targets) == 0:
        return None
    mean, scale = fit.targets.mean(axis=0), fit.targets.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    wanted = tuple((part.targets - mean) / scale for part in (fit, selection))
    probe = mlp_regression((fit.codes, selection.codes), wanted, seed, basis)
    tried, asked = (probe.logits(part) * scale + mean for part in (selection.codes, codes))
    return RegressionResult(asked, float(_r2(_sums(selection.targets, tried).sum(axis=0))))


def r2_ci(values: np.ndarray, predictions: np.ndarray, identities: np.ndarray, plan: Bootstrap) -> Estimate:
    """R^2 of (n, m) `predictions` on Q: 1 perfect, 0 as good as Q's mean, negative where it is worse.

    The m columns count by their variance: it is the explained share of the summed squares.
    """
    return bootstrap_ci(_sums(values, predictions), _r2, identities, plan, 0.0)


def _sums(values: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """(n, m + 3) what each face adds: its values, their squares, the squared error, one."""
    centred = values - values.mean(axis=0)  # changes no R^2, and keeps large values from cancelling
    errors = ((values - predictions) ** 2).sum(axis=1)
    return np.column_stack([centred, (centred**2).sum(axis=1), errors, np.ones(len(values))])


def _r2(sums: np.ndarray) -> np.ndarray:
    n = sums[..., -1]
    spread = sums[..., -3] - (sums[..., :-3] ** 2).sum(axis=-1) / n
    return 1 - sums[..., -2] / np.where(spread > 0, spread, np.nan)
