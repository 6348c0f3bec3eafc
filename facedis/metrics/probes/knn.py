"""k-nearest-neighbours probe."""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from facedis.metrics.classification.accuracy import balanced_accuracy_score
from facedis.metrics.probes.linear import ProbeData, can_fit
from facedis.metrics.probes.whitening import StandardisedPCA, fit_pca

#: Numbers of neighbours.
K_GRID = (1, 5, 15, 50)


@dataclass(frozen=True)
class KnnProbe:
    """A fitted k-nearest-neighbours classifier of codes.

    Attributes:
        pca: PCA of P's codes.
        whitened: Whether the codes are whitened.
        neighbours: Index of P's codes.
        votes: (n, K) vote of each face of P.
        k: Number of neighbours.
        val_score: Balanced accuracy on V, 0..1.
    """

    pca: StandardisedPCA
    whitened: bool
    neighbours: NearestNeighbors
    votes: np.ndarray
    k: int
    val_score: float

    @property
    def hyperparameters(self) -> dict[str, float]:
        """The values chosen on V."""
        return {"k": self.k, "whitened": self.whitened}

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log of the smoothed votes of the k nearest faces of P."""
        inputs = self.pca.padded(codes, self.whitened)
        return _log_votes(self.votes, self.neighbours.kneighbors(inputs, self.k, return_distance=False))


def knn_probe(
    train: ProbeData, val: ProbeData, num_classes: int, pca: StandardisedPCA | None = None
) -> KnnProbe | None:
    """Fit k nearest neighbours in Euclidean distance; k and whether to whiten the codes are chosen on V.

    A vote is inversely proportional to the size of its class.

    Args:
        train: P.
        val: V.
        num_classes: K.
        pca: PCA of P's codes; None fits it.

    Returns:
        None where P or V is empty or P has a single class.

    Source: Cover & Hart, Nearest neighbor pattern classification, IEEE Trans. Information Theory 13, 1967.
    """
    if not can_fit(train, val):
        return None
    pca = pca or fit_pca(train.codes)
    counts = np.bincount(train.labels, minlength=num_classes)
    votes = np.eye(num_classes)[train.labels] / np.maximum(counts, 1) * (len(train.labels) / num_classes)
    grid = [k for k in K_GRID if k <= len(train.labels)]
    best: KnnProbe | None = None
    for whitened in (False, True):
        neighbours = NearestNeighbors(algorithm="brute").fit(pca.padded(train.codes, whitened))
        nearest = neighbours.kneighbors(pca.padded(val.codes, whitened), grid[-1], return_distance=False)
        for k in grid:
            predictions = _log_votes(votes, nearest[:, :k]).argmax(axis=1)
            score = balanced_accuracy_score(val.labels, predictions, num_classes)
            if best is None or score > best.val_score:
                best = KnnProbe(pca, whitened, neighbours, votes, k, score)
    return best


def _log_votes(votes: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """(m, K) log shares of the votes of the (m, k) `nearest`, with half a vote added in equal parts to all classes."""
    sums = votes[nearest].sum(axis=1)
    return np.log((sums + 0.5 / votes.shape[1]) / (sums.sum(axis=1, keepdims=True) + 0.5))
