"""Two-dimensional projection of codes for figures."""

import numpy as np
from sklearn.manifold import TSNE

from facedis.metrics.probes.whitening import fit_pca

#: Below this number of faces the first two principal components are returned instead of t-SNE.
MIN_FACES = 50
_COMPONENTS = 50


def project_2d(codes: np.ndarray, seed: int) -> np.ndarray:
    """(n, 2) float32 coordinates by t-SNE on the first 50 principal components of the standardised codes.

    Args:
        codes: (n, D) float.
        seed: Seed of t-SNE.

    Source: van der Maaten & Hinton, Visualizing data using t-SNE, JMLR 9, 2008.
    """
    components = fit_pca(codes, _COMPONENTS).transform(codes)
    if components.shape[1] < 2:
        components = np.pad(components, ((0, 0), (0, 2 - components.shape[1])))
    if len(codes) < MIN_FACES or components.shape[1] == 2:
        return components[:, :2]
    perplexity = min(30.0, len(codes) / 4)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(components)
