"""Codes turned and scaled so that every direction is equally loud: nothing hides by being quiet."""

from dataclasses import dataclass

import numpy as np

from facedis.metrics.probes.probes import Part, Probe, deviations, linear_probe, standardisation

#: Most directions that are kept; what wider codes lose are their quietest ones.
MOST = 512
#: A direction is kept where it is this many times louder than the rounding of float32.
FLOOR = 8.0


@dataclass(frozen=True)
class Basis:
    """The principal directions of P's standardised codes.

    Attributes:
        centre: (D,) mean of P's codes.
        scale: (D,) their standard deviation, 1 where a number never changes.
        axes: (D, k) orthonormal directions, loudest first.
        spread: (k,) standard deviation of P along each.
    """

    centre: np.ndarray
    scale: np.ndarray
    axes: np.ndarray
    spread: np.ndarray

    def turned(self, codes: np.ndarray) -> np.ndarray:
        """(n, k) float32 standardised (n, D) `codes` along the axes: distances are as before."""
        return ((codes - self.centre) / self.scale @ self.axes).astype(np.float32)

    def whitened(self, codes: np.ndarray) -> np.ndarray:
        """(n, k) float32 the same, each axis divided by its spread: P has covariance 1."""
        return ((codes - self.centre) / self.scale @ (self.axes / self.spread)).astype(np.float32)


def principal(codes: np.ndarray, most: int = MOST) -> Basis:
    """The basis of the (n, D) `codes` of P, without directions that are only rounding.

    Float32 rounds a number by up to 6e-8 of its size. Scaled up, that noise would drown the code;
    so a direction is left out where its deviation is below 8 times what rounding can make.

    Args:
        codes: (n, D) float.
        most: Most directions kept.

    Source: Kessy, Lewin & Strimmer, Optimal whitening and decorrelation, The American Statistician 72, 2018 (PCA-cor).
    """
    centre, scale = standardisation(codes)
    moving = deviations(codes) > 0
    shown = np.where(moving, (codes - centre) / scale, 0.0)
    rounding = np.finfo(np.float32).eps * np.abs(codes).max(axis=0, initial=0.0) / scale
    floor = FLOOR * np.sqrt(np.mean(rounding[moving] ** 2)) if moving.any() else np.inf
    values, axes = np.linalg.eigh(shown.T @ shown / len(codes))
    spread = np.sqrt(np.clip(values, 0, None))[::-1]
    kept = (spread > floor) & (np.arange(len(spread)) < min(most, len(codes) - 1))
    return Basis(centre, scale, axes[:, ::-1][:, kept], spread[kept])


@dataclass(frozen=True)
class WhitenedProbe:
    """A linear probe of whitened codes.

    Attributes:
        basis: How the codes are whitened.
        probe: What reads them.
    """

    basis: Basis
    probe: Probe

    @property
    def selection(self) -> float:
        """Balanced accuracy on V, 0..1."""
        return self.probe.selection

    @property
    def setting(self) -> dict[str, float]:
        """What V chose."""
        return self.probe.setting

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log-odds of the (n, D) `codes`."""
        return self.probe.logits(self.basis.whitened(codes))


def whitened_probe(fit: Part, selection: Part, classes: int, basis: Basis | None = None) -> WhitenedProbe | None:
    """`linear_probe` on whitened codes: it finds a leak along a direction that is very quiet.

    Standardising makes every *number* of a code equally loud. A direction across many of them can
    still be a thousand times quieter, and an L2 penalty forbids the large weights that it needs.

    Args:
        fit: P.
        selection: V.
        classes: K.
        basis: Of P's codes, where it is there already.

    Returns:
        None where `linear_probe` is.
    """
    if len(np.unique(fit.labels)) < 2 or len(selection.labels) == 0:
        return None
    basis = basis or principal(fit.codes)
    if len(basis.spread) == 0:  # a constant code: let the linear probe say so
        basis = Basis(basis.centre, basis.scale, np.zeros((len(basis.centre), 1)), np.ones(1))
    parts = (Part(basis.whitened(part.codes), part.labels) for part in (fit, selection))
    probe = linear_probe(*parts, classes=classes)
    return None if probe is None else WhitenedProbe(basis, probe)
