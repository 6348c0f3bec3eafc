import numpy as np
import pytest

from facedis.metrics.codes import CodeTable
from facedis.tasks.evaluation.gallery import gallery


@pytest.fixture
def table(opened):
    """The test split of the pattern cache; the head is right except about the first person's faces."""
    rows = opened.rows("test")
    n, labels = len(rows), opened.labels[rows]
    answers = np.where(opened.identities[rows] == opened.identities[rows][0], (labels + 1) % 3, labels)
    likely = np.full((n, 3), 0.1)
    likely[np.arange(n), answers] = 0.5 + np.arange(n) / 100
    codes = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    splits = opened.splits[rows]
    return CodeTable(
        rows,
        codes,
        codes,
        codes,
        likely,
        None,
        labels,
        opened.identities[rows],
        splits,
        ("neutral", "happiness", "anger"),
    )


def test_the_worst_are_the_surest_wrong_answers_with_their_own_faces(opened, table):
    shown = gallery(table, opened, 0)
    assert len(shown.worst) == 6 and len(shown.best) == 12
    assert all(face.truth != face.answer for face in shown.worst)
    assert [face.probability for face in shown.worst] == sorted((f.probability for f in shown.worst), reverse=True)
    place = {str(source): row for row, source in enumerate(opened.sources)}
    for face in (*shown.worst, *shown.best):
        assert (face.face == opened.faces(np.array([place[face.source]]))[0]).all()
        assert face.truth in face.source


def test_the_best_take_turns_among_the_expressions(opened, table):
    assert {face.truth for face in gallery(table, opened, 0).best[:3]} == {"neutral", "happiness", "anger"}


def test_people_are_listed_worst_first(opened, table):
    people = gallery(table, opened, 0).people
    assert [(person.accuracy, person.n) for person in people] == [(0, 6), (1, 6), (1, 6)]


def test_a_baseline_has_one_map_and_nobody_known_no_bars(opened, table):
    nobody = CodeTable(**{**vars(table), "rest": None, "identities": np.full(len(table), "")})
    shown = gallery(nobody, opened, 0)
    assert set(shown.maps) == {"expression"} and shown.maps["expression"].shape == (18, 2)
    assert shown.people == ()
