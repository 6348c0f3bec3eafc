"""Projections, people and example faces for the HTML page of an evaluation."""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from facedis.faces.cache.cache import FacesCache
from facedis.metrics.codes import CodeTable
from facedis.metrics.representation.projection import project_2d

#: Most faces in a projection, most people, and number of best and of worst examples.
PROJECTED, MAX_PEOPLE, EXAMPLES = 1_500, 40, 12


@dataclass(frozen=True)
class FaceExample:
    """A face with its prediction.

    Attributes:
        face: (S, S, 3) uint8.
        truth: The true expression.
        answer: The predicted expression.
        probability: Probability of the prediction, 0..1.
        source: Path of the image below the folder of the dataset.
    """

    face: np.ndarray
    truth: str
    answer: str
    probability: float
    source: str


@dataclass(frozen=True)
class PersonAccuracy:
    """The accuracy on the faces of one person.

    Attributes:
        name: Identity in the dataset.
        accuracy: Accuracy, 0..1.
        n: Number of faces.
    """

    name: str
    accuracy: float
    n: int


@dataclass(frozen=True)
class Gallery:
    """Projections, people and examples.

    Attributes:
        maps: (m, 2) projection of each code for m faces.
        labels: (m,) int expressions of these faces.
        people: The people with most faces in rising order of accuracy; empty if identities are unknown.
        best: Correct predictions of highest probability, alternating between expressions.
        worst: Wrong predictions in falling order of probability.
    """

    maps: dict[str, np.ndarray]
    labels: np.ndarray
    people: tuple[PersonAccuracy, ...]
    best: tuple[FaceExample, ...]
    worst: tuple[FaceExample, ...]


def gallery(table: CodeTable, cache: FacesCache, seed: int) -> Gallery:
    """Projections, people and examples of an evaluation.

    Args:
        table: The codes of all evaluated faces.
        cache: The cache with these faces.
        seed: Seed of the choice of faces and of the projections.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(table))[:PROJECTED])
    codes = {"expression": table.expression, "rest": table.rest}
    with threadpool_limits(1):  # faster for small arrays
        maps = {name: project_2d(code[rows], seed) for name, code in codes.items() if code is not None}
    best, worst = _extremes(table)
    return Gallery(
        maps, table.labels[rows], _people(table), _examples(best, table, cache), _examples(worst, table, cache)
    )


def _extremes(table: CodeTable) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the most confident predictions: the correct ones alternating between classes, and the wrong ones."""
    predictions, confidence = table.probabilities.argmax(axis=1), table.probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    correct = predictions[order] == table.labels[order]
    rank = np.zeros(len(order), int)  # rank of each correct prediction within its class
    for label in np.unique(table.labels):
        of_class = (table.labels[order] == label) & correct
        rank[of_class] = np.arange(of_class.sum())
    alternating = np.argsort(rank[correct], kind="stable")
    return order[correct][alternating][:EXAMPLES], order[~correct][:EXAMPLES]


def _people(table: CodeTable) -> tuple[PersonAccuracy, ...]:
    known = table.identities != ""
    names, groups = np.unique(table.identities[known], return_inverse=True)
    counts = np.bincount(groups, minlength=len(names))
    hits = np.bincount(groups, (table.probabilities.argmax(axis=1) == table.labels)[known], len(names))
    most = np.argsort(-counts, kind="stable")[:MAX_PEOPLE]
    people = (PersonAccuracy(str(names[i]), float(hits[i] / counts[i]), int(counts[i])) for i in most)
    return tuple(sorted(people, key=lambda person: person.accuracy))


def _examples(indices: np.ndarray, table: CodeTable, cache: FacesCache) -> tuple[FaceExample, ...]:
    order = np.argsort(table.rows[indices])  # a cache is read in rising order of rows
    faces = np.empty(len(indices), object)
    faces[order] = list(cache.faces(table.rows[indices][order])) if len(indices) else []
    predictions = table.probabilities[indices].argmax(axis=1)
    return tuple(
        FaceExample(
            face,
            table.classes[table.labels[index]],
            table.classes[prediction],
            float(table.probabilities[index, prediction]),
            str(cache.sources[table.rows[index]]),
        )
        for face, index, prediction in zip(faces, indices, predictions, strict=True)
    )
