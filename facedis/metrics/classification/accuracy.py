"""How well the expression head does its task."""

from collections.abc import Callable

import numpy as np

from facedis.metrics.codes import CodeTable
from facedis.metrics.statistics.intervals import (
    Bootstrap,
    bootstrap_ci,
    bootstrap_values,
    group_ids,
    mean_ci,
    percentile_interval,
    proportion_ci,
)
from facedis.result import Estimate

#: Bins of the calibration error.
BINS = 15
#: Fewest faces of a person whose own accuracy says something.
MIN_FACES_PER_PERSON = 5
#: Of the accuracies of people.
_QUANTILES = {"least": 0.0, "q10": 0.1, "median": 0.5, "q90": 0.9, "most": 1.0}
_SMALLEST = np.finfo(np.float32).tiny


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """(K, K) int counts: row the true expression, column the predicted one."""
    cells = np.asarray(labels) * classes + np.asarray(predictions)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def accuracy(tables: np.ndarray) -> np.ndarray:
    """(...) Share of the diagonal of confusion matrices (..., K, K)."""
    return np.trace(tables, axis1=-2, axis2=-1) / tables.sum(axis=(-2, -1))


def balanced_accuracy(tables: np.ndarray) -> np.ndarray:
    """(...) Mean recall over the classes that occur, of confusion matrices (..., K, K).

    Source: Brodersen, Ong, Stephan & Buhmann, The balanced accuracy and its posterior distribution, ICPR 2010.
    """
    counts = tables.sum(axis=-1)
    present = counts > 0
    recalls = np.where(present, np.diagonal(tables, axis1=-2, axis2=-1) / np.where(present, counts, 1), 0)
    return recalls.sum(axis=-1) / present.sum(axis=-1)


def macro_f1(tables: np.ndarray) -> np.ndarray:
    """(...) Mean F1 over the classes that occur, of confusion matrices (..., K, K)."""
    counts, predicted = tables.sum(axis=-1), tables.sum(axis=-2)
    present = counts > 0
    both = np.where(present, counts + predicted, 1)
    scores = np.where(present, 2 * np.diagonal(tables, axis1=-2, axis2=-1) / both, 0)
    return scores.sum(axis=-1) / present.sum(axis=-1)


def chance_level(labels: np.ndarray) -> float:
    """Balanced accuracy of an answer that knows nothing: one over the number of classes that occur."""
    return 1 / max(1, len(np.unique(labels)))


def confusion_terms(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """(n, K*K) float64, a one in each image's cell of the confusion matrix."""
    terms = np.zeros((len(labels), classes * classes))
    terms[np.arange(len(labels)), np.asarray(labels) * classes + np.asarray(predictions)] = 1
    return terms


def confusion_statistic(
    statistic: Callable[[np.ndarray], np.ndarray], classes: int
) -> Callable[[np.ndarray], np.ndarray]:
    """`statistic` of (..., K, K) confusion matrices as one of the flat sums (..., K*K) that `bootstrap_ci` makes."""
    return lambda sums: statistic(sums.reshape(*sums.shape[:-1], classes, classes))


def balanced_accuracy_ci(predictions: np.ndarray, table: CodeTable, plan: Bootstrap) -> Estimate:
    """Balanced accuracy of the (n,) `predictions` for the faces of `table`."""
    classes = len(table.classes)
    terms = confusion_terms(table.labels, predictions, classes)
    statistic = confusion_statistic(balanced_accuracy, classes)
    return bootstrap_ci(terms, statistic, table.identities, plan, chance_level(table.labels))


def task_metrics(table: CodeTable, plan: Bootstrap) -> dict[str, Estimate]:
    """Accuracy, balanced accuracy, macro-F1, calibration and majority rate of the expression head.

    Returns:
        `accuracy` and `balanced_accuracy` in 0..1, chance one over the classes that occur;
        `macro_f1` in 0..1, chance that of uniform guessing; `ece` in 0..1, 0 where the confidence
        is right; `nll` in nats, chance log K; `majority_rate`, the accuracy of always naming the
        most frequent expression. With contempt among eight expressions also
        `accuracy_without_contempt`: of the other faces, when contempt is not an answer.
    """
    classes, labels = len(table.classes), table.labels
    predictions = table.probabilities.argmax(axis=1)
    terms = confusion_terms(labels, predictions, classes)
    chance = chance_level(labels)
    of_label = table.probabilities[np.arange(len(labels)), labels]
    majority = labels == np.bincount(labels, minlength=classes).argmax()
    return {
        "accuracy": proportion_ci(predictions == labels, table.identities, plan, chance),
        "balanced_accuracy": balanced_accuracy_ci(predictions, table, plan),
        "macro_f1": bootstrap_ci(
            terms, confusion_statistic(macro_f1, classes), table.identities, plan, _guessing_f1(labels, classes)
        ),
        "ece": expected_calibration_error_ci(table.probabilities, labels, table.identities, plan),
        "nll": mean_ci(-np.log(np.maximum(of_label, _SMALLEST)), table.identities, plan, float(np.log(classes))),
        "majority_rate": proportion_ci(majority, table.identities, plan),
        **_without_contempt(table, plan),
    }


def _without_contempt(table: CodeTable, plan: Bootstrap) -> dict[str, Estimate]:
    """AffectNet is reported for eight and for seven expressions; a model of eight can serve both."""
    if len(table.classes) != 8 or "contempt" not in table.classes:
        return {}
    contempt = table.classes.index("contempt")
    others = table.take(table.labels != contempt)
    hits = np.delete(others.probabilities, contempt, axis=1).argmax(axis=1)
    hits += hits >= contempt
    return {"accuracy_without_contempt": proportion_ci(hits == others.labels, others.identities, plan, 1 / 7)}


def recall_per_class(table: CodeTable, plan: Bootstrap) -> dict[str, Estimate | None]:
    """Recall of each expression, chance 1/K; None for an expression that does not occur."""
    hits = table.probabilities.argmax(axis=1) == table.labels
    figures: dict[str, Estimate | None] = {}
    for number, name in enumerate(table.classes):
        of_class = table.labels == number
        known = proportion_ci(hits[of_class], table.identities[of_class], plan, 1 / len(table.classes))
        figures[name] = known if of_class.any() else None
    return figures


def accuracy_by_person(table: CodeTable) -> dict[str, float] | None:
    """How far people differ in how often the expression head is right about them.

    Returns:
        `people` and `faces` that it rests on, `faces_each` as the mean; the accuracies of people in
        0..1: `least`, `q10`, `median`, `q90`, `most`, `sd`; and `sd_by_chance`, what `sd` would be
        if everybody were equally easy. None where fewer than two people have `MIN_FACES_PER_PERSON` faces.
    """
    hits = table.probabilities.argmax(axis=1) == table.labels
    names, groups, counts = np.unique(table.identities, return_inverse=True, return_counts=True)
    kept = (counts >= MIN_FACES_PER_PERSON) & (names != "")
    if kept.sum() < 2:
        return None
    each = (np.bincount(groups, weights=hits) / counts)[kept]
    faces = counts[kept]
    overall = float((each * faces).sum() / faces.sum())
    return {
        "people": int(kept.sum()),
        "faces": int(faces.sum()),
        "faces_each": float(faces.mean()),
        **{name: float(np.quantile(each, q)) for name, q in _QUANTILES.items()},
        "sd": float(each.std()),
        "sd_by_chance": float(np.sqrt(overall * (1 - overall) * (1 / faces).mean())),
    }


def expected_calibration_error_ci(
    probabilities: np.ndarray, labels: np.ndarray, identities: np.ndarray, plan: Bootstrap
) -> Estimate:
    """Expected calibration error over 15 bins of equal width: 0 where confidence equals accuracy.

    A resample has a larger error than the images it was drawn from, because noise adds to every bin.
    The interval is therefore moved by the bootstrap's mean difference, so that it lies around the value.

    Source: Guo, Pleiss, Sun & Weinberger, On calibration of modern neural networks, ICML 2017.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    hits = probabilities.argmax(axis=1) == labels
    places = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)  # bins are open on the left
    terms = np.zeros((len(labels), BINS + 1))
    terms[np.arange(len(labels)), places] = confidence - hits
    terms[:, BINS] = 1

    def error(sums: np.ndarray) -> np.ndarray:
        return np.abs(sums[..., :BINS]).sum(axis=-1) / sums[..., BINS]

    value = float(error(terms.sum(axis=0)))
    groups = group_ids(identities)
    if groups.max() == 0:
        return Estimate(value, n=len(labels))
    values = bootstrap_values(terms, error, groups, plan)
    low, high = percentile_interval(np.clip(values - values.mean() + value, 0, 1))
    return Estimate(value, low, high, n=len(labels))


def _guessing_f1(labels: np.ndarray, classes: int) -> float:
    """Macro-F1 of guessing every class equally often."""
    shares = np.bincount(labels, minlength=classes) / len(labels)
    shares = shares[shares > 0]
    return float(np.mean(2 * shares / classes / (shares + 1 / classes)))
