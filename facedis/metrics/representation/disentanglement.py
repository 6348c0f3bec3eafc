"""Disentanglement of single dimensions of a code: MIG, SAP and DCI."""

from collections.abc import Mapping

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from facedis.metrics.classification.accuracy import balanced_accuracy_score
from facedis.metrics.representation.block_disentanglement import completeness

#: Number of equal-width bins of a continuous variable.
BINS = 20
#: Number of trees of a random forest, and maximum number of faces it is fitted on.
NUM_TREES, MAX_FACES = 10, 2_000


def mig(codes: np.ndarray, factors: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Mutual information gap: between the two dimensions with the highest mutual information with a factor.

    Args:
        codes: (n, D) float.
        factors: (n,) int classes or float numbers by name; numbers are binned into 20 bins of equal width.

    Returns:
        The gap as a share of the entropy of each factor, 0..1; 0 for a constant factor.

    Source: Chen, Li, Grosse & Duvenaud, Isolating sources of disentanglement in variational
    autoencoders, NeurIPS 2018.
    """
    binned = np.stack([_binned(column) for column in codes.T.astype(np.float64)])
    gaps = {}
    for name, values in factors.items():
        classes = _discrete(values)
        entropy = _entropy(np.bincount(classes))
        information = np.sort([_mutual_information(column, classes) for column in binned])
        defined = entropy > 0 and len(information) > 1
        gaps[name] = float((information[-1] - information[-2]) / entropy) if defined else 0.0
    return gaps


def sap(
    codes: tuple[np.ndarray, np.ndarray], factors: tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]
) -> dict[str, float]:
    """Separated attribute predictability: the score of the best dimension minus that of the second best.

    The score of a continuous factor is the squared correlation on Q; that of a class is the balanced accuracy
    on Q of predicting, for each of 20 bins, the class that is most frequent in it on P relative to its size.

    Args:
        codes: (n, D) of P and of Q.
        factors: Of P and of Q, (n,) int classes or float numbers by name.

    Source: Kumar, Sattigeri & Balakrishnan, Variational inference of disentangled latent concepts
    from unlabeled observations, ICLR 2018. Deviation: bins in place of a linear SVM for classes,
    because a class may lie between two others.
    """
    gaps = {}
    for name, values in factors[1].items():
        if values.dtype.kind == "f":
            scores = _correlations(codes[1], values) ** 2
        else:
            columns = zip(codes[0].T, codes[1].T, strict=True)
            scores = np.array([_bin_accuracy(train, factors[0][name], test, values) for train, test in columns])
        ranked = np.sort(scores)
        gaps[name] = float(ranked[-1] - ranked[-2]) if len(ranked) > 1 else 0.0
    return gaps


def dci(codes: np.ndarray, factors: Mapping[str, np.ndarray], seed: int = 0) -> dict[str, float]:
    """Disentanglement and completeness of the feature importances of random forests.

    Args:
        codes: (n, D) float; at most 2,000 faces are used.
        factors: (n,) int classes or float numbers by name.
        seed: Seed of the forests.

    Returns:
        `disentanglement` (1 where every dimension predicts a single factor) and `completeness` (1 where every
        factor is predicted by a single dimension), 0..1, weighted by importance.

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
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _mutual_information(first: np.ndarray, second: np.ndarray) -> float:
    joint = np.bincount(first * (second.max() + 1) + second)
    return _entropy(np.bincount(first)) + _entropy(np.bincount(second)) - _entropy(joint)


def _correlations(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    codes, values = codes - codes.mean(axis=0, dtype=np.float64), values - values.mean()
    scale = np.sqrt((codes**2).sum(axis=0) * (values**2).sum())
    return np.where(scale > 0, codes.T @ values / np.where(scale > 0, scale, 1), 0.0)


def _bin_accuracy(train: np.ndarray, train_labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray) -> float:
    num_classes = int(max(train_labels.max(), test_labels.max())) + 1
    edges = _edges(train)
    cells = np.digitize(train, edges) * num_classes + train_labels
    table = np.bincount(cells, minlength=BINS * num_classes).reshape(BINS, num_classes)
    predictions = (table / np.maximum(table.sum(axis=0), 1)).argmax(axis=1)[np.digitize(test, edges)]
    return balanced_accuracy_score(test_labels, predictions, num_classes)


def _edges(values: np.ndarray) -> np.ndarray:
    """Inner edges of bins of equal width; the values of a (nearly) constant dimension may share one bin."""
    return np.linspace(float(values.min()), float(values.max()), BINS + 1)[1:-1]
