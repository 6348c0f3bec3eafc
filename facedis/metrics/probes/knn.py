"""The nearest faces as a probe: it needs no training and finds whatever lies close together."""

from dataclasses import dataclass

import numpy as np

from facedis.metrics.classification.accuracy import balanced_accuracy, confusion_matrix
from facedis.metrics.probes.linear import ProbeData
from facedis.metrics.probes.whitening import StandardisedPCA, fit_pca

#: Numbers of neighbours that are tried.
K_GRID = (1, 5, 15, 50)
_BLOCK = 1_024


@dataclass(frozen=True)
class KnnProbe:
    """The classes of the k nearest faces of P.

    Attributes:
        basis: How codes are turned.
        whitened: Whether they are whitened too.
        known: (n, d) float32 codes of P.
        votes: (n, K) what each face of P says: one over the size of its class.
        k: Number of neighbours.
        val_score: Balanced accuracy on V, 0..1.
    """

    basis: StandardisedPCA
    whitened: bool
    known: np.ndarray
    votes: np.ndarray
    k: int
    val_score: float

    @property
    def hyperparameters(self) -> dict[str, float]:
        """What V chose."""
        return {"k": self.k, "whitened": self.whitened}

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log of the smoothed votes of the k nearest faces."""
        near = _nearest(self.known, _shown(self.basis, codes, self.whitened), self.k)
        return _log_votes(self.votes, near)


def knn_probe(
    fit: ProbeData, selection: ProbeData, classes: int, basis: StandardisedPCA | None = None
) -> KnnProbe | None:
    """k nearest neighbours in Euclidean distance, of standardised and of whitened codes; k chosen on V.

    A vote weighs one over the size of its class, so that a frequent one does not win by itself.

    Args:
        fit: P.
        selection: V.
        classes: K.
        basis: Of P's codes, where it is there already.

    Returns:
        None where P or V is empty or P has a single class.

    Source: Cover & Hart, Nearest neighbor pattern classification, IEEE Trans. Information Theory 13, 1967.
    """
    if len(np.unique(fit.labels)) < 2 or len(selection.labels) == 0:
        return None
    basis = basis or fit_pca(fit.codes)
    votes = np.eye(classes)[fit.labels] / np.maximum(np.bincount(fit.labels, minlength=classes), 1)
    votes *= len(fit.labels) / classes
    best: KnnProbe | None = None
    for whitened in (False, True):
        known, asked = (_shown(basis, part.codes, whitened) for part in (fit, selection))
        ks = [k for k in K_GRID if k <= len(known)]
        near = _nearest(known, asked, ks[-1])
        for k in ks:
            answers = _log_votes(votes, near[:, :k]).argmax(axis=1)
            score = float(balanced_accuracy(confusion_matrix(selection.labels, answers, classes)))
            if best is None or score > best.val_score:
                best = KnnProbe(basis, whitened, known, votes, k, score)
    return best


def _shown(basis: StandardisedPCA, codes: np.ndarray, whitened: bool) -> np.ndarray:
    return basis.whiten(codes) if whitened else basis.project(codes)


def _log_votes(votes: np.ndarray, near: np.ndarray) -> np.ndarray:
    """(m, K) log shares of the votes of `near` (m, k), as if half a vote more were spread over all classes."""
    sums = votes[near].sum(axis=1)
    return np.log((sums + 0.5 / votes.shape[1]) / (sums.sum(axis=1, keepdims=True) + 0.5))


def _nearest(known: np.ndarray, asked: np.ndarray, k: int) -> np.ndarray:
    """(m, k) the nearest rows of `known` to each of `asked`, nearest first, in blocks."""
    lengths = (known**2).sum(axis=1)
    found = np.empty((len(asked), k), int)
    for start in range(0, len(asked), _BLOCK):
        far = lengths - 2 * asked[start : start + _BLOCK] @ known.T  # the asked one's own length changes no order
        near = np.argpartition(far, k - 1, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(far, near, axis=1), axis=1, kind="stable")
        found[start : start + _BLOCK] = np.take_along_axis(near, order, axis=1)
    return found
