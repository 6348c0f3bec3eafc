"""Accuracy of the expression head: accuracy, balanced accuracy, macro-F1, recall and accuracy by person."""

from collections.abc import Callable

import numpy as np

from facedis.metrics.classification.calibration import expected_calibration_error_ci
from facedis.metrics.codes import CodeTable
from facedis.metrics.statistics.intervals import Bootstrap, bootstrap_ci, mean_ci, proportion_ci
from facedis.result import Estimate

#: Minimum number of faces of a person in `accuracy_by_person`.
MIN_FACES_PER_PERSON = 5
#: Quantiles over people that `accuracy_by_person` returns.
_QUANTILES = {"least": 0.0, "q10": 0.1, "median": 0.5, "q90": 0.9, "most": 1.0}
_SMALLEST = np.finfo(np.float32).tiny


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """(K, K) int counts: rows are true classes, columns predicted ones."""
    cells = np.asarray(labels) * num_classes + np.asarray(predictions)
    return np.bincount(cells, minlength=num_classes * num_classes).reshape(num_classes, num_classes)


def balanced_accuracy(matrices: np.ndarray) -> np.ndarray:
    """(...) Mean recall over the classes that occur, of confusion matrices (..., K, K).

    Source: Brodersen, Ong, Stephan & Buhmann, The balanced accuracy and its posterior distribution, ICPR 2010.
    """
    counts = matrices.sum(axis=-1)
    present = counts > 0
    recalls = np.where(present, np.diagonal(matrices, axis1=-2, axis2=-1) / np.where(present, counts, 1), 0)
    return recalls.sum(axis=-1) / present.sum(axis=-1)


def balanced_accuracy_score(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> float:
    """Mean recall over the classes that occur in the (n,) `labels`, 0..1."""
    return float(balanced_accuracy(confusion_matrix(labels, predictions, num_classes)))


def macro_f1(matrices: np.ndarray) -> np.ndarray:
    """(...) Mean F1 over the classes that occur, of confusion matrices (..., K, K)."""
    counts, predicted = matrices.sum(axis=-1), matrices.sum(axis=-2)
    present = counts > 0
    both = np.where(present, counts + predicted, 1)
    scores = np.where(present, 2 * np.diagonal(matrices, axis1=-2, axis2=-1) / both, 0)
    return scores.sum(axis=-1) / present.sum(axis=-1)


def chance_level(labels: np.ndarray) -> float:
    """Balanced accuracy of a constant prediction: one over the number of classes that occur."""
    return 1 / max(1, len(np.unique(labels)))


def confusion_terms(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """(n, K*K) float64, 1 in the cell of each image in the confusion matrix and 0 elsewhere."""
    terms = np.zeros((len(labels), num_classes * num_classes))
    terms[np.arange(len(labels)), np.asarray(labels) * num_classes + np.asarray(predictions)] = 1
    return terms


def confusion_statistic(
    statistic: Callable[[np.ndarray], np.ndarray], num_classes: int
) -> Callable[[np.ndarray], np.ndarray]:
    """`statistic` of (..., K, K) confusion matrices, as a function of sums (..., K*K) of `confusion_terms`."""
    return lambda sums: statistic(sums.reshape(*sums.shape[:-1], num_classes, num_classes))


def balanced_accuracy_ci(predictions: np.ndarray, table: CodeTable, bootstrap: Bootstrap) -> Estimate:
    """Balanced accuracy of the (n,) `predictions` for the faces of `table`."""
    num_classes = len(table.classes)
    terms = confusion_terms(table.labels, predictions, num_classes)
    statistic = confusion_statistic(balanced_accuracy, num_classes)
    return bootstrap_ci(terms, statistic, table.identities, bootstrap, chance_level(table.labels))


def task_metrics(table: CodeTable, bootstrap: Bootstrap) -> dict[str, Estimate]:
    """Accuracy, balanced accuracy, macro-F1, calibration and majority rate of the expression head.

    Returns:
        `accuracy` and `balanced_accuracy` in 0..1, chance one over the number of classes that occur;
        `macro_f1` in 0..1, chance that of uniform guessing; `ece` in 0..1, see `expected_calibration_error`;
        `nll` in nats, chance log K; `majority_rate`, the accuracy of always predicting the most frequent
        expression. For eight expressions with contempt also `accuracy_without_contempt`: the accuracy on
        the other faces, with contempt excluded from the predictions.
    """
    num_classes, labels = len(table.classes), table.labels
    predictions = table.probabilities.argmax(axis=1)
    terms = confusion_terms(labels, predictions, num_classes)
    f1_chance = _macro_f1_of_guessing(labels, num_classes)
    f1 = bootstrap_ci(terms, confusion_statistic(macro_f1, num_classes), table.identities, bootstrap, f1_chance)
    of_label = table.probabilities[np.arange(len(labels)), labels]
    losses = -np.log(np.maximum(of_label, _SMALLEST))
    majority = labels == np.bincount(labels, minlength=num_classes).argmax()
    return {
        "accuracy": proportion_ci(predictions == labels, table.identities, bootstrap, chance_level(labels)),
        "balanced_accuracy": balanced_accuracy_ci(predictions, table, bootstrap),
        "macro_f1": f1,
        "ece": expected_calibration_error_ci(table.probabilities, labels, table.identities, bootstrap),
        "nll": mean_ci(losses, table.identities, bootstrap, float(np.log(num_classes))),
        "majority_rate": proportion_ci(majority, table.identities, bootstrap),
        **_without_contempt(table, bootstrap),
    }


def _without_contempt(table: CodeTable, bootstrap: Bootstrap) -> dict[str, Estimate]:
    """AffectNet results are published for eight and for seven expressions; a model of eight serves both."""
    if len(table.classes) != 8 or "contempt" not in table.classes:
        return {}
    contempt = table.classes.index("contempt")
    others = table.take(table.labels != contempt)
    predictions = np.delete(others.probabilities, contempt, axis=1).argmax(axis=1)
    predictions += predictions >= contempt
    return {
        "accuracy_without_contempt": proportion_ci(predictions == others.labels, others.identities, bootstrap, 1 / 7)
    }


def recall_per_class(table: CodeTable, bootstrap: Bootstrap) -> dict[str, Estimate | None]:
    """Recall of each expression, chance 1/K; None for an expression that does not occur."""
    hits = table.probabilities.argmax(axis=1) == table.labels
    recalls: dict[str, Estimate | None] = {}
    for number, name in enumerate(table.classes):
        of_class = table.labels == number
        recall = proportion_ci(hits[of_class], table.identities[of_class], bootstrap, 1 / len(table.classes))
        recalls[name] = recall if of_class.any() else None
    return recalls


def accuracy_by_person(table: CodeTable) -> dict[str, float] | None:
    """Distribution over people of the accuracy of the expression head.

    Returns:
        `people` and `faces`, their numbers; `faces_each`, the mean number of faces per person; quantiles of
        the accuracy over people in 0..1: `least`, `q10`, `median`, `q90`, `most`; its standard deviation `sd`,
        and `sd_by_chance`, the expected `sd` if all people had the same accuracy. None where fewer than two
        people have `MIN_FACES_PER_PERSON` faces.
    """
    hits = table.probabilities.argmax(axis=1) == table.labels
    names, groups, counts = np.unique(table.identities, return_inverse=True, return_counts=True)
    kept = (counts >= MIN_FACES_PER_PERSON) & (names != "")
    if kept.sum() < 2:
        return None
    accuracies = (np.bincount(groups, weights=hits) / counts)[kept]
    faces = counts[kept]
    overall = float((accuracies * faces).sum() / faces.sum())
    return {
        "people": int(kept.sum()),
        "faces": int(faces.sum()),
        "faces_each": float(faces.mean()),
        **{name: float(np.quantile(accuracies, q)) for name, q in _QUANTILES.items()},
        "sd": float(accuracies.std()),
        "sd_by_chance": float(np.sqrt(overall * (1 - overall) * (1 / faces).mean())),
    }


def _macro_f1_of_guessing(labels: np.ndarray, num_classes: int) -> float:
    """Macro-F1 of guessing every class equally often."""
    shares = np.bincount(labels, minlength=num_classes) / len(labels)
    shares = shares[shares > 0]
    return float(np.mean(2 * shares / num_classes / (shares + 1 / num_classes)))
