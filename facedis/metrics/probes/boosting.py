"""Boosted trees as a probe: they find thresholds and interactions that a network may miss."""

from dataclasses import dataclass
from itertools import islice

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from facedis.metrics.classification.accuracy import balanced_accuracy, confusion_matrix
from facedis.metrics.probes.linear import ProbeData
from facedis.metrics.probes.whitening import StandardisedPCA, fit_pca

#: Rounds of one tree a class, and after how many of them V is looked at.
MAX_ROUNDS, EVAL_INTERVAL = 80, 5
#: Most faces and most numbers of a code that trees are grown on: the cost is their product.
MAX_FACES, MAX_FEATURES = 4_000, 64
#: Above this many classes there would be a tree for each in every round.
MAX_CLASSES = 20


@dataclass(frozen=True)
class BoostingProbe:
    """Boosted trees on the loudest directions of a code.

    Attributes:
        basis: How codes are turned.
        model: The fitted trees; its classes are `present`.
        present: (k,) int classes that P has.
        classes: K.
        rounds: How many rounds V chose.
        val_score: Balanced accuracy on V, 0..1.
    """

    basis: StandardisedPCA
    model: HistGradientBoostingClassifier
    present: np.ndarray
    classes: int
    rounds: int
    val_score: float

    @property
    def hyperparameters(self) -> dict[str, float]:
        """What V chose."""
        return {"rounds": self.rounds}

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """(n, K) log probabilities; -inf for a class that P lacks."""
        shown = self.basis.project(codes)[:, :MAX_FEATURES]
        likely = next(islice(self.model.staged_predict_proba(shown), self.rounds - 1, None))
        logits = np.full((len(codes), self.classes), -np.inf)
        logits[:, self.present] = np.log(np.maximum(likely, 1e-12))
        return logits


def boosting_probe(
    fit: ProbeData, selection: ProbeData, classes: int, seed: int = 0, basis: StandardisedPCA | None = None
) -> BoostingProbe | None:
    """Boosted trees with class-balanced weights, the number of rounds chosen on V.

    Grown on at most 4,000 faces and on the 64 loudest principal directions of the code.

    Args:
        fit: P.
        selection: V.
        classes: K.
        seed: Of the choice of faces and the trees.
        basis: Of P's codes, where it is there already.

    Returns:
        None where P or V is empty, P has a single class, the code is constant, or K is above 20.

    Source: Friedman, Greedy function approximation: a gradient boosting machine, Annals of Statistics 29, 2001.
    """
    present = np.unique(fit.labels)
    basis = basis or fit_pca(fit.codes)
    if len(present) < 2 or len(selection.labels) == 0 or len(basis.std) == 0 or classes > MAX_CLASSES:
        return None
    rows = np.random.default_rng(seed).permutation(len(fit.labels))[:MAX_FACES]
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
    model.fit(basis.project(fit.codes[rows])[:, :MAX_FEATURES], fit.labels[rows])
    rounds, score = _chosen(model, basis.project(selection.codes)[:, :MAX_FEATURES], selection.labels, classes)
    return BoostingProbe(basis, model, model.classes_, classes, rounds, score)


def _chosen(
    model: HistGradientBoostingClassifier, codes: np.ndarray, labels: np.ndarray, classes: int
) -> tuple[int, float]:
    """The number of rounds that does best on V, and how well."""
    scores = {}
    for number, likely in enumerate(model.staged_predict_proba(codes), 1):
        if number % EVAL_INTERVAL == 0:
            answers = model.classes_[likely.argmax(axis=1)]
            scores[number] = float(balanced_accuracy(confusion_matrix(labels, answers, classes)))
    best = max(scores, key=lambda number: scores[number])
    return best, scores[best]
