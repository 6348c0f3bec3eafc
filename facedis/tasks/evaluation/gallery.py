"""What the page of an evaluation shows beside its numbers: maps of the codes, people, faces."""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from facedis.faces.cache.cache import FacesCache
from facedis.metrics.codes import CodeTable
from facedis.metrics.representation.projection import project_2d

#: Most faces on a map, most people in the bars, faces shown of the best and of the worst.
PROJECTED, MAX_PEOPLE, EXAMPLES = 1_500, 40, 12


@dataclass(frozen=True)
class FaceExample:
    """One face with what the expression head says about it.

    Attributes:
        face: (S, S, 3) uint8.
        truth: Its expression.
        answer: The expression it is taken for.
        probability: Of that answer, 0..1.
        source: Path of the image below the dataset's folder.
    """

    face: np.ndarray
    truth: str
    answer: str
    probability: float
    source: str


@dataclass(frozen=True)
class PersonAccuracy:
    """How well one person's expressions are named.

    Attributes:
        name: As in the dataset.
        accuracy: Share of the faces that are named right.
        n: Faces.
    """

    name: str
    accuracy: float
    n: int


@dataclass(frozen=True)
class Gallery:
    """Everything that is drawn.

    Attributes:
        maps: For each code the (m, 2) places of m faces.
        labels: (m,) int expressions of those faces.
        people: Those with most faces, worst first; empty where nobody is known.
        best: Surest right answers, one expression after the other.
        worst: Surest wrong answers, surest first.
    """

    maps: dict[str, np.ndarray]
    labels: np.ndarray
    people: tuple[PersonAccuracy, ...]
    best: tuple[FaceExample, ...]
    worst: tuple[FaceExample, ...]


def gallery(table: CodeTable, cache: FacesCache, seed: int) -> Gallery:
    """Maps, people and faces of an evaluation.

    Args:
        table: The codes of all faces that were evaluated.
        cache: Where those faces lie.
        seed: Of the choice of faces on the maps.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(table))[:PROJECTED])
    codes = {"expression": table.expression, "rest": table.rest}
    with threadpool_limits(1):  # small arrays: threads that wait for each other only cost
        maps = {name: project_2d(code[rows], seed) for name, code in codes.items() if code is not None}
    best, worst = _extremes(table)
    return Gallery(maps, table.labels[rows], _people(table), _shown(best, table, cache), _shown(worst, table, cache))


def _extremes(table: CodeTable) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the surest right answers, taking turns among the expressions, and of the surest wrong ones."""
    answers, sure = table.probabilities.argmax(axis=1), table.probabilities.max(axis=1)
    order = np.argsort(-sure, kind="stable")
    right = answers[order] == table.labels[order]
    turns = np.zeros(len(order), int)
    for label in np.unique(table.labels):
        of_class = (table.labels[order] == label) & right
        turns[of_class] = np.arange(of_class.sum())
    taking_turns = np.argsort(turns[right], kind="stable")
    return order[right][taking_turns][:EXAMPLES], order[~right][:EXAMPLES]


def _people(table: CodeTable) -> tuple[PersonAccuracy, ...]:
    known = table.identities != ""
    names, groups = np.unique(table.identities[known], return_inverse=True)
    counts = np.bincount(groups, minlength=len(names))
    hits = np.bincount(groups, (table.probabilities.argmax(axis=1) == table.labels)[known], len(names))
    most = np.argsort(-counts, kind="stable")[:MAX_PEOPLE]
    people = (PersonAccuracy(str(names[i]), float(hits[i] / counts[i]), int(counts[i])) for i in most)
    return tuple(sorted(people, key=lambda person: person.accuracy))


def _shown(indices: np.ndarray, table: CodeTable, cache: FacesCache) -> tuple[FaceExample, ...]:
    order = np.argsort(table.rows[indices])  # a cache is read by rising rows
    faces = np.empty(len(indices), object)
    faces[order] = list(cache.faces(table.rows[indices][order])) if len(indices) else []
    answers = table.probabilities[indices].argmax(axis=1)
    return tuple(
        FaceExample(
            face,
            table.classes[table.labels[index]],
            table.classes[answer],
            float(table.probabilities[index, answer]),
            str(cache.sources[table.rows[index]]),
        )
        for face, index, answer in zip(faces, indices, answers, strict=True)
    )
