from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from facedis.metrics.classification import accuracy as task
from facedis.metrics.codes import CodeTable
from facedis.metrics.statistics.intervals import Bootstrap
from facedis.taxonomy import EIGHT

PLAN = Bootstrap(n_resamples=200)


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


def test_every_number_equals_sklearns():
    data = noisy()
    figures = task.task_metrics(data, PLAN)
    answers = data.probabilities.argmax(1)
    assert figures["accuracy"].value == pytest.approx(metrics.accuracy_score(data.labels, answers))
    assert figures["balanced_accuracy"].value == pytest.approx(metrics.balanced_accuracy_score(data.labels, answers))
    assert figures["macro_f1"].value == pytest.approx(metrics.f1_score(data.labels, answers, average="macro"))
    assert figures["nll"].value == pytest.approx(metrics.log_loss(data.labels, data.probabilities))
    matrix = task.confusion_matrix(data.labels, answers, 4)
    assert (matrix == metrics.confusion_matrix(data.labels, answers)).all()
    assert all(figure.low <= figure.value <= figure.high for figure in figures.values())
    assert all(figure.n == 300 for figure in figures.values())


def test_the_calibration_error_equals_a_loop_over_bins():
    data = noisy()
    confidence, hits = data.probabilities.max(1), data.probabilities.argmax(1) == data.labels
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence > low) & (confidence <= low + 1 / 15)
        if inside.any():
            expected += inside.mean() * abs(confidence[inside].mean() - hits[inside].mean())
    figure = task.expected_calibration_error_ci(data.probabilities, data.labels, data.identities, PLAN)
    assert figure.value == pytest.approx(expected)
    assert figure.low < figure.value < figure.high


def test_perfect_answers():
    labels = np.arange(40) % 4
    figures = task.task_metrics(table(np.eye(4)[labels], labels), PLAN)
    assert figures["accuracy"].value == figures["balanced_accuracy"].value == figures["macro_f1"].value == 1
    assert figures["ece"].value == figures["nll"].value == 0
    assert figures["accuracy"].low == pytest.approx(0.912, abs=1e-3)  # Wilson: 40 of 40 is no certainty
    assert figures["accuracy"].chance == figures["balanced_accuracy"].chance == 0.25
    assert figures["nll"].chance == pytest.approx(np.log(4))


def test_always_the_same_answer_is_the_majority_rate_and_balanced_chance():
    labels = np.repeat([0, 1, 2, 3], [70, 10, 10, 10])
    figures = task.task_metrics(table(np.eye(4)[np.zeros(100, int)], labels), PLAN)
    assert figures["accuracy"].value == figures["majority_rate"].value == 0.7
    assert figures["balanced_accuracy"].value == figures["balanced_accuracy"].chance == 0.25


def test_certain_and_wrong_has_a_finite_likelihood():
    labels = np.array([0, 1, 0, 1])
    figure = task.task_metrics(table(np.eye(2)[1 - labels], labels), PLAN)["nll"]
    assert np.isfinite(figure.value) and figure.value > 80


def test_a_class_that_does_not_occur_counts_nowhere():
    labels = np.array([0, 0, 1, 1, 1])
    answers = np.array([0, 2, 1, 1, 0])
    data = table(np.eye(3)[answers], labels)
    figures = task.task_metrics(data, PLAN)
    assert figures["balanced_accuracy"].value == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert figures["balanced_accuracy"].chance == 0.5
    assert figures["macro_f1"].value == pytest.approx((1 / 2 + 4 / 5) / 2)
    recalls = task.recall_per_class(data, PLAN)
    assert recalls["c2"] is None
    assert (recalls["c1"].value, recalls["c1"].n) == (pytest.approx(2 / 3), 3)


def test_guessing_scores_the_macro_f1_that_is_called_chance():
    generator = np.random.default_rng(0)
    labels = generator.choice(3, 60_000, p=[0.7, 0.2, 0.1])
    guesses = generator.integers(0, 3, 60_000)
    expected = task.task_metrics(table(np.eye(3)[labels], labels), Bootstrap(n_resamples=1))["macro_f1"].chance
    assert metrics.f1_score(labels, guesses, average="macro") == pytest.approx(expected, abs=0.005)


def test_several_photographs_of_a_person_widen_the_interval():
    labels, hits = np.tile([0, 1], 200), np.repeat(np.random.default_rng(0).random(40) < 0.6, 10)
    answers = np.where(hits, labels, 1 - labels)
    apart = task.task_metrics(table(np.eye(2)[answers], labels), PLAN)["accuracy"]
    people = np.repeat(np.arange(40), 10).astype(str)
    together = task.task_metrics(table(np.eye(2)[answers], labels, people), PLAN)["accuracy"]
    assert together.value == apart.value
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_a_model_of_eight_expressions_also_serves_seven():
    generator = np.random.default_rng(0)
    labels = np.arange(80) % 8
    likely = generator.dirichlet(np.ones(8), 80)
    likely[labels != 7, 7] += 1  # always contempt: right nowhere else, unless that answer is taken out
    data = replace(table(likely, labels), classes=EIGHT)
    figures = task.task_metrics(data, PLAN)
    kept = labels != 7
    found = figures["accuracy_without_contempt"]
    assert found.value == pytest.approx((likely[kept][:, :7].argmax(axis=1) == labels[kept]).mean())
    assert found.n == 70 and found.chance == pytest.approx(1 / 7)
    assert figures["accuracy"].value < found.value
    assert "accuracy_without_contempt" not in task.task_metrics(noisy(k=4), PLAN)
    first = replace(data, classes=("contempt", *EIGHT[:7]))  # wherever it stands in the list
    hits = (likely[labels != 0][:, 1:].argmax(axis=1) + 1 == labels[labels != 0]).mean()
    assert task.task_metrics(first, PLAN)["accuracy_without_contempt"].value == pytest.approx(hits)


def test_people_who_are_served_worse_are_seen():
    hits = np.repeat([[1.0] * 10, [0.0] * 5 + [1.0] * 5, [1.0] * 2 + [0.0] * 8], 1, axis=0).ravel()
    probabilities = np.stack([hits, 1 - hits], axis=1)
    people = np.repeat(["Ann", "Bob", "Cid"], 10)
    found = task.accuracy_by_person(table(probabilities, np.zeros(30, int), people))
    assert (found["people"], found["faces"], found["faces_each"]) == (3, 30, 10)
    assert (found["least"], found["median"], found["most"]) == pytest.approx((0.2, 0.5, 1.0))
    assert found["sd"] == pytest.approx(np.std([1.0, 0.5, 0.2]))
    assert found["sd_by_chance"] == pytest.approx(np.sqrt(17 / 30 * 13 / 30 / 10))


def test_no_spread_over_people_of_whom_too_little_is_known():
    data = noisy(40)
    assert task.accuracy_by_person(data) is None
    few = np.array(["Ann"] * 36 + ["Bob"] * 4)
    assert task.accuracy_by_person(replace(data, identities=few)) is None
