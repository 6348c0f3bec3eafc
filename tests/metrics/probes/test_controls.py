import numpy as np
import pytest

from facedis.metrics.probes.controls import control_task, permutation_null
from facedis.metrics.probes.linear import ProbeData
from facedis.metrics.statistics.intervals import Bootstrap


def part(n: int, seed: int) -> ProbeData:
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 4
    return ProbeData(4 * np.eye(4)[labels] + generator.normal(size=(n, 4)), labels)


def test_permutation_null_is_at_chance_for_an_informative_code():
    null = permutation_null(part(400, 0), part(400, 1), 4, Bootstrap())
    assert null.value == pytest.approx(0.25, abs=0.03)
    assert null.low < 0.25 < null.high
    assert null.chance == 0.25 and null.n == 400


def test_permutation_null_is_wider_for_fewer_faces():
    few, many = (permutation_null(part(400, 0), part(n, 1), 4, Bootstrap()) for n in (40, 1600))
    assert few.high - few.low > many.high - many.low


def test_permutation_null_of_a_constant_code_has_no_width():
    constant = ProbeData(np.ones((40, 3)), np.arange(40) % 4)
    null = permutation_null(constant, constant, 4, Bootstrap())
    assert (null.low, null.value, null.high) == (0.25, 0.25, 0.25)


def test_permutation_null_without_classes_or_test_faces_is_none():
    data = part(8, 0)
    assert permutation_null(ProbeData(data.codes, np.zeros(8, int)), data, 4, Bootstrap()) is None
    assert permutation_null(data, ProbeData(data.codes[:0], data.labels[:0]), 4, Bootstrap()) is None


def test_control_task_is_solved_by_an_identity_code_only():
    people = np.repeat(np.arange(20), 8)
    identities = np.char.add("p", people.astype(str))
    generator = np.random.default_rng(0)
    identity_codes = 5 * np.random.default_rng(1).normal(size=(20, 16))[people] + generator.normal(size=(160, 16))
    assert control_task(ProbeData(identity_codes, people), identities, 4, 0) > 0.95
    assert control_task(ProbeData(generator.normal(size=(160, 16)), people), identities, 4, 0) < 0.55


def test_control_task_needs_four_faces_of_a_person():
    data = part(30, 0)
    assert control_task(data, np.array([""] * 30), 4, 0) is None
    assert control_task(data, np.repeat([f"p{i}" for i in range(10)], 3), 4, 0) is None
