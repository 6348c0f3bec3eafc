import pytest

from facedis.datasets.record import FaceRecord
from facedis.faces.alignment.split import assign_splits


def people(count, each=3):
    return [FaceRecord(f"{p}/{n}.jpg", identity=f"person {p}") for p in range(count) for n in range(each)]


def test_no_person_is_in_two_splits():
    records = people(300)
    splits = assign_splits(records, 0.2, 0.2, seed=0)
    seen = {}
    for record, split in zip(records, splits, strict=True):
        assert seen.setdefault(record.identity, split) == split
    assert set(splits) == {"train", "val", "test"}


@pytest.mark.parametrize(("val", "test"), [(0.1, 0.1), (0.3, 0.0), (0.0, 0.5)])
def test_the_shares_are_met(val, test):
    splits = assign_splits(people(4000, each=1), val, test, seed=3)
    # Four standard deviations of a binomial share.
    for name, share in (("val", val), ("test", test)):
        assert abs(splits.count(name) / 4000 - share) <= 4 * (share * (1 - share) / 4000) ** 0.5


def test_a_person_stays_put_when_others_come():
    before = assign_splits(people(50), 0.2, 0.2, seed=1)
    assert assign_splits(people(80), 0.2, 0.2, seed=1)[: len(before)] == before


def test_another_seed_divides_otherwise():
    assert assign_splits(people(50), 0.2, 0.2, seed=1) != assign_splits(people(50), 0.2, 0.2, seed=2)


def test_images_without_identity_are_divided_one_by_one():
    records = [FaceRecord(f"{number}.jpg") for number in range(200)]
    assert set(assign_splits(records, 0.2, 0.2, seed=0)) == {"train", "val", "test"}


def test_the_dataset_s_own_splits_stay_as_they_are():
    records = [FaceRecord("a.jpg", split="train"), FaceRecord("b.jpg", split="test"), FaceRecord("c.jpg")]
    assert assign_splits(records, 0.5, 0.4, seed=0) == ["train", "test", ""]
