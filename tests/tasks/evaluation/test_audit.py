import numpy as np
import pytest

import facedis

CLASSES = ("anger", "fear", "happiness", "neutral")


def embedding(leak, people=60, each=8, size=16, seed=0):
    """Codes with a part of the person and, if `leak`, a direction per class; labels and people."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(CLASSES), people * each)
    groups = np.repeat(np.arange(people), each)
    codes = rng.normal(size=(people * each, size)) + rng.normal(size=(people, size))[groups]
    return codes + leak * 3 * np.eye(len(CLASSES), size)[labels], np.array(CLASSES)[labels], groups


def test_a_label_in_the_codes_is_found():
    result = facedis.audit(*embedding(1.0), probes="linear", bootstrap_samples=200)
    assert result.classes == CLASSES and result.chance == 0.25
    assert result.probes.keys() == {"linear", "whitened"}
    assert result.strongest == result.probes[result.strongest_kind]
    assert result.strongest.value > 0.7 and result.strongest.low > 0.5
    assert result.null.high < result.strongest.low
    assert result.bits.low > 0.3 and 0 < result.share.value < 1
    assert result.to_dict()["kind"] == "audit"
    assert [row["probe"] for row in result.table_rows()] == ["linear", "whitened"]


def test_without_the_label_the_accuracy_is_at_chance():
    result = facedis.audit(*embedding(0.0), bootstrap_samples=200)
    assert len(result.probes) == 5
    assert result.strongest.low <= result.chance <= result.strongest.high
    assert result.null.low <= result.strongest.value <= result.null.high
    assert result.bits.value < 0.1


def test_groups_are_in_one_part_each():
    """Labels that are constant in a group are recognised through the group, unless the parts are disjoint."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(60), 8)
    codes = rng.normal(size=(60, 64))[groups] + 0.01 * rng.normal(size=(480, 64))
    labels = rng.integers(0, 2, 60)[groups]
    disjoint = facedis.audit(codes, labels, groups, probes="linear", bootstrap_samples=200)
    optimistic = facedis.audit(codes, labels, probes="linear", bootstrap_samples=200)
    assert optimistic.strongest.value > 0.95 > 0.75 > disjoint.strongest.value


def test_collapse_of_a_constant_embedding():
    codes, labels, groups = embedding(0.0)
    result = facedis.audit(np.ones_like(codes), labels, groups, probes="linear", bootstrap_samples=100)
    assert result.strongest.value == pytest.approx(result.chance)
    assert result.collapse["effective_rank"].value == 0
    assert result.collapse["dead_share"].value == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda codes, labels, groups: (codes[:-1], labels, groups), "there are 479 codes, 480 labels and 480 groups"),
        (lambda codes, labels, groups: (codes[:, 0], labels, groups), "codes is an array of 480 float64"),
        (lambda codes, labels, groups: (np.where(codes > 3, np.nan, codes), labels, groups), "is not finite"),
        (lambda codes, labels, groups: (codes, np.zeros(480), groups), "no probe can be fitted"),
        (lambda codes, labels, groups: (codes, labels, np.zeros(480)), "no probe can be fitted"),
    ],
)
def test_arrays_that_cannot_be_audited(change, message):
    with pytest.raises(facedis.InputError, match=message):
        facedis.audit(*change(*embedding(0.0)), probes="linear", bootstrap_samples=100)


def test_options_are_checked():
    with pytest.raises(facedis.ConfigError, match="--bootstrap-samples is 3"):
        facedis.audit(*embedding(0.0), bootstrap_samples=3)
