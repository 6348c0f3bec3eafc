"""The classic scores of single numbers: MIG, SAP and DCI."""

from collections.abc import Mapping

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from facedis.metrics.representation.block_disentanglement import completeness

#: Bins of equal width into which numbers fall.
BINS = 20
#: Trees of a forest, and most faces that it grows on.
NUM_TREES, MAX_FACES = 10, 2_000


def mig(codes: np.ndarray, factors: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Mutual information gap: of the number that tells most of a factor, above the one that tells second most.

    Args:
        codes: (n, D) float.
        factors: (n,) each, int classes or float numbers, which fall into 20 bins of equal width.

    Returns:
        For each factor the gap as a share of its entropy, 0..1; 0 for a factor that never changes.

    Source: Chen, Li, Grosse & Duvenaud, Isolating sources of disentanglement in variational
    autoencoders, NeurIPS 2018.
    """
    binned = np.stack([_binned(column) for column in codes.T.astype(np.float64)])
    found = {}
    for name, values in factors.items():
        classes = _discrete(values)
        entropy = _entropy(np.bincount(classes))
        told = np.sort([_mutual(column, classes) for column in binned])
        found[name] = float((told[-1] - told[-2]) / entropy) if entropy > 0 and len(told) > 1 else 0.0
    return found


def sap(
    codes: tuple[np.ndarray, np.ndarray], factors: tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]
) -> dict[str, float]:
    """Separated attribute predictability: the best single number's score above the second best's.

    The score of a float factor is the squared correlation on Q; of a class it is the balanced
    accuracy on Q of the most likely class in each of 20 bins of P.

    Args:
        codes: (n, D) of P and of Q.
        factors: Of P and of Q, (n,) each, int classes or float numbers.

    Source: Kumar, Sattigeri & Balakrishnan, Variational inference of disentangled latent concepts
    from unlabeled observations, ICLR 2018. Deviation: bins in place of a linear SVM for classes,
    because a class may lie between two others.
    """
    found = {}
    for name, values in factors[1].items():
        if values.dtype.kind == "f":
            scores = _correlations(codes[1], values) ** 2
        else:
            scores = np.array(
                [_bin_accuracy(p, factors[0][name], q, values) for p, q in zip(codes[0].T, codes[1].T, strict=True)]
            )
        best = np.sort(scores)
        found[name] = float(best[-1] - best[-2]) if len(best) > 1 else 0.0
    return found


def dci(codes: np.ndarray, factors: Mapping[str, np.ndarray], seed: int = 0) -> dict[str, float]:
    """Disentanglement and completeness of the importances that random forests give to numbers.

    Args:
        codes: (n, D) float; at most 2,000 faces are used.
        factors: (n,) each, int classes or float numbers.
        seed: Of the forests.

    Returns:
        `disentanglement` (does a number serve one factor?) and `completeness` (does a factor need
        one number?), 0..1, numbers and factors weighted by their importance.

    Source: Eastwood & Williams, A framework for the quantitative evaluation of disentangled
    representations, ICLR 2018.
    """
    rows = np.random.default_rng(seed).permutation(len(codes))[:MAX_FACES]
    importances = np.stack([_importances(codes[rows], values[rows], seed) for values in factors.values()], axis=1)
    return dci_of(importances)


def dci_of(importances: np.ndarray) -> dict[str, float]:
    """`disentanglement` and `completeness` of a (D, F) matrix of importances."""
    total = importances.sum()
    if total <= 0:
        return {"disentanglement": 0.0, "completeness": 0.0}
    rows = np.array([completeness(row) for row in importances])
    columns = np.array([completeness(column) for column in importances.T])
    return {
        "disentanglement": float(rows @ importances.sum(axis=1) / total),
        "completeness": float(columns @ importances.sum(axis=0) / total),
    }


def _importances(codes: np.ndarray, values: np.ndarray, seed: int) -> np.ndarray:
    forest = RandomForestRegressor if values.dtype.kind == "f" else RandomForestClassifier
    model = forest(NUM_TREES, max_depth=8, max_features=None, random_state=seed)
    return model.fit(codes, values).feature_importances_


def _binned(values: np.ndarray) -> np.ndarray:
    return np.digitize(values, _edges(values))


def _discrete(values: np.ndarray) -> np.ndarray:
    return np.unique(_binned(values) if values.dtype.kind == "f" else values, return_inverse=True)[1]


def _entropy(counts: np.ndarray) -> float:
    likely = counts[counts > 0] / counts.sum()
    return float(-(likely * np.log(likely)).sum())


def _mutual(first: np.ndarray, second: np.ndarray) -> float:
    together = np.bincount(first * (second.max() + 1) + second)
    return _entropy(np.bincount(first)) + _entropy(np.bincount(second)) - _entropy(together)


def _correlations(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    codes, values = codes - codes.mean(axis=0, dtype=np.float64), values - values.mean()
    spread = np.sqrt((codes**2).sum(axis=0) * (values**2).sum())
    return np.where(spread > 0, codes.T @ values / np.where(spread > 0, spread, 1), 0.0)


def _bin_accuracy(known: np.ndarray, classes: np.ndarray, asked: np.ndarray, truth: np.ndarray) -> float:
    number = int(max(classes.max(), truth.max())) + 1
    edges = _edges(known)
    table = np.bincount(np.digitize(known, edges) * number + classes, minlength=BINS * number).reshape(BINS, number)
    answers = (table / np.maximum(table.sum(axis=0), 1)).argmax(axis=1)[np.digitize(asked, edges)]
    hits, counts = np.bincount(truth, answers == truth, number), np.bincount(truth, minlength=number)
    return float((hits[counts > 0] / counts[counts > 0]).mean())


def _edges(values: np.ndarray) -> np.ndarray:
    """Between bins of equal width; a number that hardly moves, or not at all, may share one bin."""
    return np.linspace(float(values.min()), float(values.max()), BINS + 1)[1:-1]
