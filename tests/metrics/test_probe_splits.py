import numpy as np
import pytest

from facedis.metrics.probe_splits import FaceLabels, split_for_probes


def crowd(people: int = 60, each: int = 6, splits: tuple[str, ...] = ("train", "train", "val", "test")) -> FaceLabels:
    """People with `each` faces; all faces of a person are in one split."""
    person = np.repeat(np.arange(people), each)
    labels = np.random.default_rng(0).choice(4, people * each, p=[0.6, 0.25, 0.1, 0.05])
    return FaceLabels(labels, np.array([f"p{i}" for i in person]), np.array(splits)[person % len(splits)])


def people_of(faces: FaceLabels, rows: np.ndarray) -> set[str]:
    return set(faces.identities[rows])


@pytest.mark.parametrize("split", ["train", "val", "test", "all"])
def test_parts_are_subject_disjoint(split):
    faces = crowd()
    parts = split_for_probes(faces, split, 10_000, seed=0)
    p, v, q = (people_of(faces, rows) for rows in (parts.probe_train, parts.probe_val, parts.probe_test))
    assert p and v and q
    assert not (p & v or p & q or v & q)
    assert set(parts.probe_test) <= set(parts.evaluated)
    assert (np.diff(parts.rows) > 0).all()
    assert set(parts.rows) == set(parts.probe_train) | set(parts.probe_val) | set(parts.evaluated)


def test_test_split_uses_train_and_val():
    faces = crowd()
    parts = split_for_probes(faces, "test", 10_000, seed=0)
    assert (parts.probe_test == faces.rows("test")).all() and (parts.evaluated == parts.probe_test).all()
    assert (parts.probe_val == faces.rows("val")).all()
    assert (parts.probe_train == faces.rows("train")).all()
    assert not parts.within_split and parts.shared_identities == 0


def test_val_split_uses_a_quarter_of_train_for_probe_val():
    faces = crowd(people=200)
    parts = split_for_probes(faces, "val", 10_000, seed=0)
    train = len(faces.rows("train"))
    assert set(faces.splits[parts.probe_val]) == set(faces.splits[parts.probe_train]) == {"train"}
    assert len(parts.probe_val) / train == pytest.approx(0.25, abs=0.02)
    assert len(parts.probe_val) + len(parts.probe_train) == train


@pytest.mark.parametrize("split", ["train", "all"])
def test_train_and_all_are_divided_by_people(split):
    faces = crowd(people=200)
    parts = split_for_probes(faces, split, 10_000, seed=0)
    n = len(faces.rows(split))
    assert parts.within_split and len(parts.evaluated) == n
    assert [len(rows) / n for rows in (parts.probe_test, parts.probe_val, parts.probe_train)] == pytest.approx(
        [0.5, 0.1, 0.4], abs=0.03
    )


def test_cache_without_train_split_is_divided():
    parts = split_for_probes(crowd(splits=("test",)), "test", 10_000, seed=0)
    assert parts.within_split and len(parts.probe_train) and len(parts.probe_val)


def test_unusable_faces_are_excluded():
    faces = crowd()
    faces.labels[::3] = -1
    for split in ("val", "all"):
        assert (faces.labels[split_for_probes(faces, split, 10_000, seed=0).rows] >= 0).all()


def test_people_in_two_splits_are_excluded_from_probe_train():
    faces = crowd()
    faces.identities[faces.rows("train")[:6]] = faces.identities[faces.rows("test")[0]]
    faces.identities[faces.rows("train")[6:12]] = faces.identities[faces.rows("val")[0]]
    parts = split_for_probes(faces, "test", 10_000, seed=0)
    assert parts.shared_identities == 12
    assert len(parts.probe_train) == len(faces.rows("train")) - 12


def test_max_samples_balances_the_classes():
    faces = crowd(people=400)
    parts = split_for_probes(faces, "test", 200, seed=0)
    counts = np.bincount(faces.labels[parts.probe_train])
    available = np.bincount(faces.labels[faces.rows("train")])
    assert counts.sum() == 200 and len(parts.probe_val) == 200
    assert (counts[available >= 50] == 50).all()


def test_seed_determines_the_choice():
    faces = crowd(people=400)
    first, again, other = (split_for_probes(faces, "val", 200, seed=seed) for seed in (0, 0, 1))
    assert (first.probe_train == again.probe_train).all() and (first.probe_val == again.probe_val).all()
    assert set(first.probe_train) != set(other.probe_train)


def test_single_person_is_in_probe_test_only():
    faces = crowd(people=1, splits=("train",))
    parts = split_for_probes(faces, "all", 100, seed=0)
    assert len(parts.probe_test) == 6 and len(parts.probe_train) == len(parts.probe_val) == 0


def test_empty_split_has_no_rows():
    assert len(split_for_probes(crowd(splits=("train",)), "val", 100, seed=0).evaluated) == 0
