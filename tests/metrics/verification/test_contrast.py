import numpy as np
import pytest

from facedis.metrics.statistics.intervals import Bootstrap
from facedis.metrics.verification.contrast import (
    CONTRASTS,
    PAIR_KINDS,
    contrast_auc,
    contrast_auc_difference,
    sample_pair_kinds,
    summarise,
)
from facedis.metrics.verification.pairs import cosines

BOOTSTRAP = Bootstrap(n_resamples=200)


def faces(people=12, expressions=3, copies=2):
    n = people * expressions * copies
    return np.arange(n) // copies % expressions, (np.arange(n) // (expressions * copies)).astype(str)


def test_pairs_are_of_their_kind_and_unique():
    labels, identities = faces()
    for kind, (first, second) in sample_pair_kinds(labels, identities, seed=0).items():
        assert len(first) > 0 and (first != second).all()
        assert ((labels[first] == labels[second]) == kind.startswith("same_expression")).all()
        assert ((identities[first] == identities[second]) == kind.endswith("same_person")).all()
        assert len({frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)}) == len(first)


def test_few_pairs_are_all_sampled_in_random_order():
    labels, identities = faces(2, 2, 2)
    counts = {kind: len(first) for kind, (first, _) in sample_pair_kinds(labels, identities, seed=0).items()}
    assert counts == dict(zip(PAIR_KINDS, (4, 8, 8, 8), strict=True))
    limited = sample_pair_kinds(*faces(), seed=0, max_pairs=50)
    assert all(len(first) <= 50 for first, _ in limited.values())
    first, _ = limited["other_expression_other_person"]
    assert (np.diff(first) < 0).any()
    again = sample_pair_kinds(*faces(), seed=0, max_pairs=50)
    assert all((limited[kind][0] == again[kind][0]).all() for kind in PAIR_KINDS)


def test_unknown_people_are_different_people():
    labels, _ = faces()
    kinds = sample_pair_kinds(labels, np.full(len(labels), ""), seed=0)
    assert [len(kinds[kind][0]) > 0 for kind in PAIR_KINDS] == [False, True, False, True]


def test_contrast_auc_of_expression_and_identity_codes():
    labels, identities = faces()
    kinds = sample_pair_kinds(labels, identities, seed=0)
    expression_codes, identity_codes = np.eye(3)[labels], np.eye(12)[identities.astype(int)]
    values = [
        {kind: cosines(code, *pair) for kind, pair in kinds.items()}
        for code in (expression_codes, identity_codes, np.ones_like(expression_codes))
    ]
    expression, person, constant = (contrast_auc(value, kinds, identities, BOOTSTRAP) for value in values)
    assert expression["same_expression"].value == 1 and expression["same_person"].value == 0
    assert expression["same_expression_one_person"].value == 1
    assert expression["same_person_one_expression"].value == 0.5
    assert person["same_expression"].value == 0.5 and person["same_person"].value == 1
    assert all(estimate.value == 0.5 for estimate in constant.values())
    difference = contrast_auc_difference(values[0], values[2], kinds, identities, BOOTSTRAP)
    assert difference["same_expression"].value == 0.5 and set(difference) == set(CONTRASTS)
    alone = sample_pair_kinds(labels, np.full(len(labels), "one"), seed=0)
    similarity = {kind: cosines(expression_codes, *pair) for kind, pair in alone.items()}
    assert contrast_auc(similarity, alone, np.full(len(labels), "one"), BOOTSTRAP)["same_person"] is None


def test_summary_of_a_distribution():
    found = summarise(np.arange(101.0))
    assert (found["n"], found["mean"]) == (101, 50)
    assert found["sd"] == pytest.approx(np.arange(101).std())
    assert found["quantiles"] == {"5": 5, "25": 25, "50": 50, "75": 75, "95": 95}
    assert summarise(np.empty(0)) is None
