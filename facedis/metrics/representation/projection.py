"""Codes laid out on a plane, for the eye only: no number is read from it."""

import numpy as np
from sklearn.manifold import TSNE

from facedis.metrics.probes.whitening import fit_pca

#: Below this many faces neighbourhoods mean nothing: the two loudest directions are shown.
MIN_FACES = 50
_DIRECTIONS = 50


def project_2d(codes: np.ndarray, seed: int) -> np.ndarray:
    """(n, 2) float32 places of n codes: faces that are near each other among the codes stay near.

    Args:
        codes: (n, D) float.
        seed: Of the layout.

    Source: van der Maaten & Hinton, Visualizing data using t-SNE, JMLR 9, 2008, on the 50 loudest
    principal directions of the standardised codes.
    """
    turned = fit_pca(codes, _DIRECTIONS).project(codes)
    if turned.shape[1] < 2:
        turned = np.pad(turned, ((0, 0), (0, 2 - turned.shape[1])))
    if len(codes) < MIN_FACES or turned.shape[1] == 2:
        return turned[:, :2]
    perplexity = min(30.0, len(codes) / 4)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(turned)
