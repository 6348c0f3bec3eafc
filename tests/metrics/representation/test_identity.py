import numpy as np
import pytest

from facedis.metrics.representation.identity import (
    closed_set,
    identity_readings,
    normalised_identity,
    strongest_identity,
)
from facedis.metrics.statistics.intervals import Bootstrap

PLAN = Bootstrap(draws=100)


def faces(people: int = 12, expressions: int = 4, each: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    person, label = (axis.ravel() for axis in np.meshgrid(np.arange(people), np.tile(np.arange(expressions), each)))
    return label, np.char.add("p", person.astype(str)), person


def test_a_person_is_tested_on_expressions_that_did_not_teach():
    labels, names, _ = faces()
    known = closed_set(labels, names, 0)
    assert known.size == 12 and known.across == 1
    parts = [set(rows) for rows in (known.fit, known.selection, known.test)]
    assert sum(map(len, parts)) == len(labels) == len(set.union(*parts))
    for person in range(12):
        shown = [set(labels[rows][known.people[rows] == person]) for rows in (known.fit, known.selection, known.test)]
        assert all(shown) and not shown[0] & shown[2] and not shown[1] & shown[2]


def test_with_one_expression_faces_are_divided_and_it_is_said():
    labels, names, _ = faces(expressions=1, each=5)
    known = closed_set(labels, names, 0)
    assert known.across == 0
    assert all(len(np.unique(known.people[rows])) == 12 for rows in (known.fit, known.selection, known.test))


def test_two_expressions_still_test_across():
    labels, names, _ = faces(expressions=2, each=3)
    known = closed_set(labels, names, 0)
    assert known.across == 1
    assert all(len(np.unique(known.people[rows])) == 12 for rows in (known.fit, known.selection, known.test))


def test_people_with_few_faces_or_no_name_take_no_part_and_at_most_so_many_do():
    labels = np.zeros(11, int)
    names = np.array(["a"] * 3 + ["b"] * 3 + ["c"] * 2 + [""] * 3)
    known = closed_set(labels, names, 0)
    assert known.size == 2 and (known.people[6:] == -1).all()
    assert closed_set(labels, names, 0, most=1) is None
    assert closed_set(labels[6:], names[6:], 0) is None
    assert closed_set(*faces()[:2], 0, most=5).size == 5


def test_a_code_of_people_names_them_all_and_noise_none():
    labels, names, person = faces(each=4)
    known = closed_set(labels, names, 0)
    generator = np.random.default_rng(0)
    told = 6 * generator.normal(size=(12, 8))[person] + generator.normal(size=(len(person), 8))
    clear = identity_readings(told, known, ("linear", "knn"), PLAN)
    assert all(reading.figure.value > 0.97 for reading in clear.values())
    noise = identity_readings(generator.normal(size=told.shape), known, ("linear",), PLAN)["linear"].figure
    assert noise.low < 1 / 12 < noise.high
    assert noise.chance == pytest.approx(1 / 12) and noise.n == len(known.test)


def test_a_constant_code_is_at_chance_exactly():
    labels, names, _ = faces()
    known = closed_set(labels, names, 0)
    figure = identity_readings(np.ones((len(labels), 3)), known, ("linear",), PLAN)["linear"].figure
    assert figure.value == pytest.approx(1 / 12)


def test_the_strongest_is_chosen_on_v_and_normalised_by_the_trunk():
    labels, names, person = faces(each=4)
    known = closed_set(labels, names, 0)
    generator = np.random.default_rng(0)
    looks = generator.normal(size=(12, 8))[person]
    loud, faint = (
        identity_readings(scale * looks + generator.normal(size=looks.shape), known, ("linear", "knn"), PLAN)
        for scale in (6.0, 0.5)
    )
    own, trunk = strongest_identity(faint), strongest_identity(loud)
    assert own.selection == max(reading.selection for reading in faint.values())
    share = normalised_identity(own, trunk, len(known.test), PLAN)
    assert share.value == pytest.approx((own.figure.value - 1 / 12) / (trunk.figure.value - 1 / 12))
    assert 0 < share.low < share.value < share.high < 1
    nothing = strongest_identity(identity_readings(np.ones((len(labels), 3)), known, ("linear",), PLAN))
    assert normalised_identity(own, nothing, 1, PLAN) is None
    assert strongest_identity({}) is None
