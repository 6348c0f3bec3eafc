"""Gradient-boosted trees as a probe."""

from dataclasses import dataclass
from itertools import islice

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from facedis.metrics.classification.accuracy import balanced_accuracy_score
from facedis.metrics.probes.linear import ProbeData, can_fit
from facedis.metrics.probes.whitening import StandardisedPCA, fit_pca

#: Maximum number of boosting rounds (one tree per class each), and number of rounds between evaluations on V.
MAX_ROUNDS, EVAL_INTERVAL = 80, 5
#: Maximum number of faces and of code dimensions; the cost is proportional to their product.
MAX_FACES, MAX_FEATURES = 4_000, 64
#: Maximum number of classes, because every round fits one tree per class.
MAX_CLASSES = 20


@dataclass(frozen=True)
class BoostingProbe:
    """Boosted trees on the leading principal components of a code.

    Attributes:
        pca: PCA of P's codes.
        model: The fitted trees; its classes are those that P has.
        num_classes: K.
        rounds: Number of boosting rounds, chosen on V.
        val_score: Balanced accuracy on V, 0..1.
    """

    pca: StandardisedPCA
    model: HistGradientBoostingClassifier
    num_classes: int
    rounds: int
    val_score: float

    @property
    def hyperparameters(self) -> dict[str, float]:
        """The values chosen on V."""
        return {"rounds": self.rounds}

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log probabilities; -inf for a class that P lacks."""
        stages = self.model.staged_predict_proba(self.pca.transform(codes)[:, :MAX_FEATURES])
        probabilities = next(islice(stages, self.rounds - 1, None))
        logits = np.full((len(codes), self.num_classes), -np.inf)
        logits[:, self.model.classes_] = np.log(np.maximum(probabilities, 1e-12))
        return logits


def boosting_probe(
    train: ProbeData, val: ProbeData, num_classes: int, seed: int = 0, pca: StandardisedPCA | None = None
) -> BoostingProbe | None:
    """Fit boosted trees with class-balanced weights; the number of rounds is chosen on V.

    The trees use at most 4,000 faces and the 64 leading principal components of the code.

    Args:
        train: P.
        val: V.
        num_classes: K.
        seed: Seed of the choice of faces and of the trees.
        pca: PCA of P's codes; None fits it.

    Returns:
        None where P or V is empty, P has a single class, the code is constant, or K is above 20.

    Source: Friedman, Greedy function approximation: a gradient boosting machine, Annals of Statistics 29, 2001.
    """
    if num_classes > MAX_CLASSES or not can_fit(train, val):
        return None
    pca = pca or fit_pca(train.codes)
    if len(pca.std) == 0:
        return None
    rows = np.random.default_rng(seed).permutation(len(train.labels))[:MAX_FACES]
    model = HistGradientBoostingClassifier(
        max_iter=MAX_ROUNDS,
        learning_rate=0.2,
        max_leaf_nodes=15,
        max_bins=63,
        max_features=0.5,
        early_stopping=False,
        class_weight="balanced",
        random_state=seed,
    )
    model.fit(pca.transform(train.codes[rows])[:, :MAX_FEATURES], train.labels[rows])
    scores = _val_scores(model, pca.transform(val.codes)[:, :MAX_FEATURES], val.labels, num_classes)
    rounds = max(scores, key=lambda number: scores[number])
    return BoostingProbe(pca, model, num_classes, rounds, scores[rounds])


def _val_scores(
    model: HistGradientBoostingClassifier, codes: np.ndarray, labels: np.ndarray, num_classes: int
) -> dict[int, float]:
    """Balanced accuracy on V by number of rounds."""
    return {
        number: balanced_accuracy_score(labels, model.classes_[probabilities.argmax(axis=1)], num_classes)
        for number, probabilities in enumerate(model.staged_predict_proba(codes), 1)
        if number % EVAL_INTERVAL == 0
    }
