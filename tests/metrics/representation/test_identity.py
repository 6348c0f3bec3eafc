import numpy as np
import pytest

from facedis.metrics.representation.identity import (
    closed_set,
    normalised_identity,
    run_identity_probes,
)
from facedis.metrics.representation.leakage import best_probe
from facedis.metrics.statistics.intervals import Bootstrap

BOOTSTRAP = Bootstrap(n_resamples=100)


def faces(people: int = 12, expressions: int = 4, each: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    person, label = (axis.ravel() for axis in np.meshgrid(np.arange(people), np.tile(np.arange(expressions), each)))
    return label, np.char.add("p", person.astype(str)), person


def test_test_expressions_are_unseen_in_train():
    labels, identities, _ = faces()
    split = closed_set(labels, identities, 0)
    assert split.num_identities == 12 and split.cross_expression_fraction == 1
    parts = [set(rows) for rows in (split.train, split.val, split.test)]
    assert sum(map(len, parts)) == len(labels) == len(set.union(*parts))
    for person in range(12):
        expressions = [set(labels[rows][split.labels[rows] == person]) for rows in (split.train, split.val, split.test)]
        assert all(expressions) and not expressions[0] & expressions[2] and not expressions[1] & expressions[2]


def test_single_expression_is_divided_by_face():
    labels, identities, _ = faces(expressions=1, each=5)
    split = closed_set(labels, identities, 0)
    assert split.cross_expression_fraction == 0
    assert all(len(np.unique(split.labels[rows])) == 12 for rows in (split.train, split.val, split.test))


def test_two_expressions_are_tested_across():
    labels, identities, _ = faces(expressions=2, each=3)
    split = closed_set(labels, identities, 0)
    assert split.cross_expression_fraction == 1
    assert all(len(np.unique(split.labels[rows])) == 12 for rows in (split.train, split.val, split.test))


def test_people_with_few_faces_or_unknown_are_excluded():
    labels = np.zeros(11, int)
    identities = np.array(["a"] * 3 + ["b"] * 3 + ["c"] * 2 + [""] * 3)
    split = closed_set(labels, identities, 0)
    assert split.num_identities == 2 and (split.labels[6:] == -1).all()
    assert closed_set(labels, identities, 0, max_identities=1) is None
    assert closed_set(labels[6:], identities[6:], 0) is None
    assert closed_set(*faces()[:2], 0, max_identities=5).num_identities == 5


def test_identity_code_is_classified_and_noise_is_at_chance():
    labels, identities, person = faces(each=4)
    split = closed_set(labels, identities, 0)
    generator = np.random.default_rng(0)
    identity_codes = 6 * generator.normal(size=(12, 8))[person] + generator.normal(size=(len(person), 8))
    results = run_identity_probes(identity_codes, split, ("linear", "knn"), BOOTSTRAP)
    assert all(result.balanced_accuracy.value > 0.97 for result in results.values())
    noise = run_identity_probes(generator.normal(size=identity_codes.shape), split, ("linear",), BOOTSTRAP)[
        "linear"
    ].balanced_accuracy
    assert noise.low < 1 / 12 < noise.high
    assert noise.chance == pytest.approx(1 / 12) and noise.n == len(split.test)


def test_constant_code_is_at_chance():
    labels, identities, _ = faces()
    split = closed_set(labels, identities, 0)
    estimate = run_identity_probes(np.ones((len(labels), 3)), split, ("linear",), BOOTSTRAP)["linear"].balanced_accuracy
    assert estimate.value == pytest.approx(1 / 12)


def test_best_probe_is_chosen_on_val_and_normalised_by_the_trunk():
    labels, identities, person = faces(each=4)
    split = closed_set(labels, identities, 0)
    generator = np.random.default_rng(0)
    identity_codes = generator.normal(size=(12, 8))[person]
    strong, weak = (
        run_identity_probes(
            scale * identity_codes + generator.normal(size=identity_codes.shape), split, ("linear", "knn"), BOOTSTRAP
        )
        for scale in (6.0, 0.5)
    )
    own, trunk = best_probe(weak.values()), best_probe(strong.values())
    assert own.val_score == max(result.val_score for result in weak.values())
    share = normalised_identity(own, trunk, len(split.test), BOOTSTRAP)
    assert share.value == pytest.approx(
        (own.balanced_accuracy.value - 1 / 12) / (trunk.balanced_accuracy.value - 1 / 12)
    )
    assert 0 < share.low < share.value < share.high < 1
    constant = best_probe(run_identity_probes(np.ones((len(labels), 3)), split, ("linear",), BOOTSTRAP).values())
    assert normalised_identity(own, constant, 1, BOOTSTRAP) is None
    assert best_probe({}.values()) is None
