"""Codes turned and scaled so that every direction is equally loud: nothing hides by being quiet."""

from dataclasses import dataclass

import numpy as np

from facedis.metrics.probes.linear import LinearProbe, ProbeData, linear_probe, mean_and_scale, standard_deviations

#: Most directions that are kept; what wider codes lose are their quietest ones.
MAX_COMPONENTS = 512
#: A direction is kept where it is this many times louder than the rounding of float32.
ROUNDING_FACTOR = 8.0


@dataclass(frozen=True)
class StandardisedPCA:
    """The principal directions of P's standardised codes.

    Attributes:
        mean: (D,) mean of P's codes.
        scale: (D,) their standard deviation, 1 where a number never changes.
        components: (D, k) orthonormal directions, loudest first.
        std: (k,) standard deviation of P along each.
    """

    mean: np.ndarray
    scale: np.ndarray
    components: np.ndarray
    std: np.ndarray

    def project(self, codes: np.ndarray) -> np.ndarray:
        """(n, k) float32 standardised (n, D) `codes` along the axes: distances are as before."""
        return ((codes - self.mean) / self.scale @ self.components).astype(np.float32)

    def whiten(self, codes: np.ndarray) -> np.ndarray:
        """(n, k) float32 the same, each axis divided by its spread: P has covariance 1."""
        return ((codes - self.mean) / self.scale @ (self.components / self.std)).astype(np.float32)


def fit_pca(codes: np.ndarray, most: int = MAX_COMPONENTS) -> StandardisedPCA:
    """The basis of the (n, D) `codes` of P, without directions that are only rounding.

    Float32 rounds a number by up to 6e-8 of its size. Scaled up, that noise would drown the code;
    so a direction is left out where its deviation is below 8 times what rounding can make.

    Args:
        codes: (n, D) float.
        most: Most directions kept.

    Source: Kessy, Lewin & Strimmer, Optimal whitening and decorrelation, The American Statistician 72, 2018 (PCA-cor).
    """
    centre, scale = mean_and_scale(codes)
    moving = standard_deviations(codes) > 0
    shown = np.where(moving, (codes - centre) / scale, 0.0)
    rounding = np.finfo(np.float32).eps * np.abs(codes).max(axis=0, initial=0.0) / scale
    floor = ROUNDING_FACTOR * np.sqrt(np.mean(rounding[moving] ** 2)) if moving.any() else np.inf
    values, axes = np.linalg.eigh(shown.T @ shown / len(codes))
    spread = np.sqrt(np.clip(values, 0, None))[::-1]
    kept = (spread > floor) & (np.arange(len(spread)) < min(most, len(codes) - 1))
    return StandardisedPCA(centre, scale, axes[:, ::-1][:, kept], spread[kept])


@dataclass(frozen=True)
class WhitenedProbe:
    """A linear probe of whitened codes.

    Attributes:
        basis: How the codes are whitened.
        probe: What reads them.
    """

    basis: StandardisedPCA
    probe: LinearProbe

    @property
    def val_score(self) -> float:
        """Balanced accuracy on V, 0..1."""
        return self.probe.val_score

    @property
    def hyperparameters(self) -> dict[str, float]:
        """What V chose."""
        return self.probe.hyperparameters

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log-odds of the (n, D) `codes`."""
        return self.probe.logits(self.basis.whiten(codes))


def whitened_probe(
    fit: ProbeData, selection: ProbeData, classes: int, basis: StandardisedPCA | None = None
) -> WhitenedProbe | None:
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
    basis = basis or fit_pca(fit.codes)
    if len(basis.std) == 0:  # a constant code: let the linear probe say so
        basis = StandardisedPCA(basis.mean, basis.scale, np.zeros((len(basis.mean), 1)), np.ones(1))
    parts = (ProbeData(basis.whiten(part.codes), part.labels) for part in (fit, selection))
    probe = linear_probe(*parts, classes=classes)
    return None if probe is None else WhitenedProbe(basis, probe)
