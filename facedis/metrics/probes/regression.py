"""Numbers read out of codes: R^2 of ridge regression and of a small network."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from facedis.metrics.probes.mlp import mlp_regression
from facedis.metrics.probes.whitening import Basis, principal
from facedis.metrics.statistics.intervals import Bootstrap, bootstrap
from facedis.result import Figure

#: Weights of the penalty that are tried, strongest first.
RIDGE_GRID = (1e2, 1e1, 1e0, 1e-1, 1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class Values:
    """Codes with the numbers that are to be read from them.

    Attributes:
        codes: (n, D) float.
        values: (n, m) float.
    """

    codes: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Regression:
    """Numbers predicted on Q.

    Attributes:
        predictions: (n, m) in the unit of the values.
        selection: R^2 on V.
    """

    predictions: np.ndarray
    selection: float


def ridge(fit: Values, selection: Values, codes: np.ndarray, basis: Basis | None = None) -> Regression | None:
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
    if len(fit.values) < 2 or len(selection.values) == 0:
        return None
    read = ridge_reader(fit, selection, basis)
    score = float(_r2(_sums(selection.values, read(selection.codes)).sum(axis=0)))
    return Regression(read(codes), score)


def ridge_reader(fit: Values, selection: Values, basis: Basis | None = None) -> Callable[[np.ndarray], np.ndarray]:
    """The fitted `ridge` itself: from (n, D) codes to (n, m) numbers."""
    basis = basis or principal(fit.codes)
    mean = fit.values.mean(axis=0)
    known, tried = basis.turned(fit.codes).astype(np.float64), basis.turned(selection.codes)
    cross = known.T @ (fit.values - mean) / len(known)
    squares = (known**2).mean(axis=0)[:, None]  # the axes are principal: their covariance is diagonal
    choices = [cross / (squares + penalty) for penalty in RIDGE_GRID]
    errors = [((selection.values - mean - tried @ slopes) ** 2).sum() for slopes in choices]
    slopes = choices[int(np.argmin(errors))]
    return lambda codes: mean + basis.turned(codes) @ slopes


def network(
    fit: Values, selection: Values, codes: np.ndarray, seed: int = 0, basis: Basis | None = None
) -> Regression | None:
    """A network of two hidden layers, stopped early on V; arguments as of `ridge`."""
    if len(fit.values) < 2 or len(selection.values) == 0:
        return None
    mean, scale = fit.values.mean(axis=0), fit.values.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    wanted = tuple((part.values - mean) / scale for part in (fit, selection))
    probe = mlp_regression((fit.codes, selection.codes), wanted, seed, basis)
    tried, asked = (probe.logits(part) * scale + mean for part in (selection.codes, codes))
    return Regression(asked, float(_r2(_sums(selection.values, tried).sum(axis=0))))


def r2_figure(values: np.ndarray, predictions: np.ndarray, identities: np.ndarray, plan: Bootstrap) -> Figure:
    """R^2 of (n, m) `predictions` on Q: 1 perfect, 0 as good as Q's mean, negative where it is worse.

    The m columns count by their variance: it is the explained share of the summed squares.
    """
    return bootstrap(_sums(values, predictions), _r2, identities, plan, 0.0)


def _sums(values: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """(n, m + 3) what each face adds: its values, their squares, the squared error, one."""
    centred = values - values.mean(axis=0)  # changes no R^2, and keeps large values from cancelling
    errors = ((values - predictions) ** 2).sum(axis=1)
    return np.column_stack([centred, (centred**2).sum(axis=1), errors, np.ones(len(values))])


def _r2(sums: np.ndarray) -> np.ndarray:
    n = sums[..., -1]
    spread = sums[..., -3] - (sums[..., :-3] ** 2).sum(axis=-1) / n
    return 1 - sums[..., -2] / np.where(spread > 0, spread, np.nan)
