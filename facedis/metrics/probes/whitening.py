"""PCA and whitening of codes, and a linear probe on whitened codes."""

from dataclasses import dataclass

import numpy as np

from facedis.metrics.probes.linear import (
    LinearProbe,
    ProbeData,
    can_fit,
    linear_probe,
    mean_and_scale,
    standard_deviations,
)

#: Maximum number of components.
MAX_COMPONENTS = 512
#: A component is kept where its standard deviation is this many times that of float32 rounding.
ROUNDING_FACTOR = 8.0


@dataclass(frozen=True)
class StandardisedPCA:
    """Principal components of P's standardised codes.

    Attributes:
        mean: (D,) mean of P's codes.
        scale: (D,) standard deviation of P's codes, 1 for a constant dimension.
        components: (D, k) orthonormal components in order of decreasing variance.
        std: (k,) standard deviation of P along each component.
    """

    mean: np.ndarray
    scale: np.ndarray
    components: np.ndarray
    std: np.ndarray

    def transform(self, codes: np.ndarray, whiten: bool = False) -> np.ndarray:
        """(n, k) float32 coordinates of the (n, D) `codes`.

        Args:
            codes: (n, D) float.
            whiten: Whether to divide each coordinate by its standard deviation on P, so that P has covariance 1.
                Without whitening, distances between standardised codes are preserved.
        """
        components = self.components / self.std if whiten else self.components
        return ((codes - self.mean) / self.scale @ components).astype(np.float32)

    def padded(self, codes: np.ndarray, whiten: bool = False) -> np.ndarray:
        """(n, k + 1) float32 `transform` with a column of zeros, so that a constant code has a dimension, too."""
        return np.pad(self.transform(codes, whiten), ((0, 0), (0, 1)))


def fit_pca(codes: np.ndarray, max_components: int = MAX_COMPONENTS) -> StandardisedPCA:
    """PCA of the (n, D) `codes` of P after standardisation, without components that are only rounding.

    Float32 rounds a number by up to 6e-8 of its size. Whitening would amplify that noise, so a component is
    dropped where its standard deviation is below 8 times that of the rounding.

    Args:
        codes: (n, D) float.
        max_components: Maximum number of components.

    Source: Kessy, Lewin & Strimmer, Optimal whitening and decorrelation, The American Statistician 72, 2018 (PCA-cor).
    """
    mean, scale = mean_and_scale(codes)
    varying = standard_deviations(codes) > 0
    standardised = np.where(varying, (codes - mean) / scale, 0.0)
    rounding = np.finfo(np.float32).eps * np.abs(codes).max(axis=0, initial=0.0) / scale
    floor = ROUNDING_FACTOR * np.sqrt(np.mean(rounding[varying] ** 2)) if varying.any() else np.inf
    variances, components = np.linalg.eigh(standardised.T @ standardised / len(codes))
    std = np.sqrt(np.clip(variances, 0, None))[::-1]
    kept = (std > floor) & (np.arange(len(std)) < min(max_components, len(codes) - 1))
    return StandardisedPCA(mean, scale, components[:, ::-1][:, kept], std[kept])


@dataclass(frozen=True)
class WhitenedProbe:
    """A linear probe on whitened codes.

    Attributes:
        pca: The whitening.
        probe: The linear probe.
    """

    pca: StandardisedPCA
    probe: LinearProbe

    @property
    def val_score(self) -> float:
        """Balanced accuracy on V, 0..1."""
        return self.probe.val_score

    @property
    def hyperparameters(self) -> dict[str, float]:
        """The values chosen on V."""
        return self.probe.hyperparameters

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log-odds of the (n, D) `codes`."""
        return self.probe.logits(self.pca.transform(codes, whiten=True))


def whitened_probe(
    train: ProbeData, val: ProbeData, num_classes: int, pca: StandardisedPCA | None = None
) -> WhitenedProbe | None:
    """Fit `linear_probe` on whitened codes, which finds leakage along directions of very low variance.

    Standardisation gives every *dimension* of a code the same variance. A direction across many of them can
    still have a standard deviation a thousand times smaller, and an L2 penalty prevents the large coefficients
    that it needs.

    Args:
        train: P.
        val: V.
        num_classes: K.
        pca: PCA of P's codes; None fits it.

    Returns:
        None where `linear_probe` returns None.
    """
    if not can_fit(train, val):
        return None
    pca = pca or fit_pca(train.codes)
    if len(pca.std) == 0:  # a constant code: the linear probe then predicts at chance
        pca = StandardisedPCA(pca.mean, pca.scale, np.zeros((len(pca.mean), 1)), np.ones(1))
    train, val = (ProbeData(pca.transform(part.codes, whiten=True), part.labels) for part in (train, val))
    probe = linear_probe(train, val, num_classes)
    return None if probe is None else WhitenedProbe(pca, probe)
