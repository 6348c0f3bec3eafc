from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from facedis.metrics.classification import accuracy as task
from facedis.metrics.classification.calibration import expected_calibration_error_ci
from facedis.metrics.codes import CodeTable
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.taxonomy import EIGHT

BOOTSTRAP = Bootstrap(n_resamples=200)


def table(probabilities: np.ndarray, labels: np.ndarray, identities: np.ndarray | None = None) -> CodeTable:
    n, k = probabilities.shape
    empty = np.zeros((n, 1), np.float32)
    people = np.array([""] * n) if identities is None else identities
    names = tuple(f"c{i}" for i in range(k))
    return CodeTable(np.arange(n), empty, None, empty, probabilities, None, labels, people, people, names)


def noisy(n: int = 300, k: int = 4) -> CodeTable:
    generator = np.random.default_rng(0)
    labels = generator.choice(k, n, p=[0.6, 0.2, 0.15, 0.05])
    logits = generator.normal(size=(n, k)) + 1.5 * np.eye(k)[labels]
    return table(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), labels)


def test_metrics_equal_scikit_learn():
    data = noisy()
    estimates = task.task_metrics(data, BOOTSTRAP)
    predictions = data.probabilities.argmax(1)
    assert estimates["accuracy"].value == pytest.approx(metrics.accuracy_score(data.labels, predictions))
    assert estimates["balanced_accuracy"].value == pytest.approx(
        metrics.balanced_accuracy_score(data.labels, predictions)
    )
    assert estimates["macro_f1"].value == pytest.approx(metrics.f1_score(data.labels, predictions, average="macro"))
    assert estimates["nll"].value == pytest.approx(metrics.log_loss(data.labels, data.probabilities))
    matrix = task.confusion_matrix(data.labels, predictions, 4)
    assert (matrix == metrics.confusion_matrix(data.labels, predictions)).all()
    assert all(estimate.low <= estimate.value <= estimate.high for estimate in estimates.values())
    assert all(estimate.n == 300 for estimate in estimates.values())


def test_calibration_error_equals_a_loop_over_bins():
    data = noisy()
    confidence, hits = data.probabilities.max(1), data.probabilities.argmax(1) == data.labels
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence > low) & (confidence <= low + 1 / 15)
        if inside.any():
            expected += inside.mean() * abs(confidence[inside].mean() - hits[inside].mean())
    estimate = expected_calibration_error_ci(data.probabilities, data.labels, data.identities, BOOTSTRAP)
    assert estimate.value == pytest.approx(expected)
    assert estimate.low < estimate.value < estimate.high


def test_perfect_predictions():
    labels = np.arange(40) % 4
    estimates = task.task_metrics(table(np.eye(4)[labels], labels), BOOTSTRAP)
    assert estimates["accuracy"].value == estimates["balanced_accuracy"].value == estimates["macro_f1"].value == 1
    assert estimates["ece"].value == estimates["nll"].value == 0
    assert estimates["accuracy"].low == pytest.approx(0.912, abs=1e-3)  # Wilson's interval of 40 of 40
    assert estimates["accuracy"].chance == estimates["balanced_accuracy"].chance == 0.25
    assert estimates["nll"].chance == pytest.approx(np.log(4))


def test_constant_predictions_have_the_majority_rate_and_balanced_accuracy_at_chance():
    labels = np.repeat([0, 1, 2, 3], [70, 10, 10, 10])
    estimates = task.task_metrics(table(np.eye(4)[np.zeros(100, int)], labels), BOOTSTRAP)
    assert estimates["accuracy"].value == estimates["majority_rate"].value == 0.7
    assert estimates["balanced_accuracy"].value == estimates["balanced_accuracy"].chance == 0.25


def test_confident_wrong_predictions_have_a_finite_nll():
    labels = np.array([0, 1, 0, 1])
    estimate = task.task_metrics(table(np.eye(2)[1 - labels], labels), BOOTSTRAP)["nll"]
    assert np.isfinite(estimate.value) and estimate.value > 80


def test_absent_classes_are_ignored():
    labels = np.array([0, 0, 1, 1, 1])
    predictions = np.array([0, 2, 1, 1, 0])
    data = table(np.eye(3)[predictions], labels)
    estimates = task.task_metrics(data, BOOTSTRAP)
    assert estimates["balanced_accuracy"].value == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert estimates["balanced_accuracy"].chance == 0.5
    assert estimates["macro_f1"].value == pytest.approx((1 / 2 + 4 / 5) / 2)
    recalls = task.recall_per_class(data, BOOTSTRAP)
    assert recalls["c2"] is None
    assert (recalls["c1"].value, recalls["c1"].n) == (pytest.approx(2 / 3), 3)


def test_macro_f1_chance_is_that_of_guessing():
    generator = np.random.default_rng(0)
    labels = generator.choice(3, 60_000, p=[0.7, 0.2, 0.1])
    guesses = generator.integers(0, 3, 60_000)
    expected = task.task_metrics(table(np.eye(3)[labels], labels), Bootstrap(n_resamples=1))["macro_f1"].chance
    assert metrics.f1_score(labels, guesses, average="macro") == pytest.approx(expected, abs=0.005)


def test_repeated_people_widen_the_interval():
    labels, hits = np.tile([0, 1], 200), np.repeat(np.random.default_rng(0).random(40) < 0.6, 10)
    predictions = np.where(hits, labels, 1 - labels)
    apart = task.task_metrics(table(np.eye(2)[predictions], labels), BOOTSTRAP)["accuracy"]
    people = np.repeat(np.arange(40), 10).astype(str)
    together = task.task_metrics(table(np.eye(2)[predictions], labels, people), BOOTSTRAP)["accuracy"]
    assert together.value == apart.value
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_accuracy_without_contempt():
    generator = np.random.default_rng(0)
    labels = np.arange(80) % 8
    probabilities = generator.dirichlet(np.ones(8), 80)
    probabilities[labels != 7, 7] += 1  # the prediction is always contempt unless it is excluded
    data = replace(table(probabilities, labels), classes=EIGHT)
    estimates = task.task_metrics(data, BOOTSTRAP)
    kept = labels != 7
    found = estimates["accuracy_without_contempt"]
    assert found.value == pytest.approx((probabilities[kept][:, :7].argmax(axis=1) == labels[kept]).mean())
    assert found.n == 70 and found.chance == pytest.approx(1 / 7)
    assert estimates["accuracy"].value < found.value
    assert "accuracy_without_contempt" not in task.task_metrics(noisy(k=4), BOOTSTRAP)
    first = replace(data, classes=("contempt", *EIGHT[:7]))  # contempt at another position
    hits = (probabilities[labels != 0][:, 1:].argmax(axis=1) + 1 == labels[labels != 0]).mean()
    assert task.task_metrics(first, BOOTSTRAP)["accuracy_without_contempt"].value == pytest.approx(hits)


def test_accuracy_by_person():
    hits = np.repeat([[1.0] * 10, [0.0] * 5 + [1.0] * 5, [1.0] * 2 + [0.0] * 8], 1, axis=0).ravel()
    probabilities = np.stack([hits, 1 - hits], axis=1)
    people = np.repeat(["Ann", "Bob", "Cid"], 10)
    found = task.accuracy_by_person(table(probabilities, np.zeros(30, int), people))
    assert (found["people"], found["faces"], found["faces_each"]) == (3, 30, 10)
    assert (found["least"], found["median"], found["most"]) == pytest.approx((0.2, 0.5, 1.0))
    assert found["sd"] == pytest.approx(np.std([1.0, 0.5, 0.2]))
    assert found["sd_by_chance"] == pytest.approx(np.sqrt(17 / 30 * 13 / 30 / 10))


def test_accuracy_by_person_needs_two_people_with_enough_faces():
    data = noisy(40)
    assert task.accuracy_by_person(data) is None
    few = np.array(["Ann"] * 36 + ["Bob"] * 4)
    assert task.accuracy_by_person(replace(data, identities=few)) is None
