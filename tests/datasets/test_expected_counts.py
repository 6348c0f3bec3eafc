import pytest

from facedis import plugins
from facedis.datasets.expected_counts import EXPECTED_COUNTS, ExpectedCount, count_records, expected_counts_for
from facedis.datasets.readers.expression.ckplus import CkPlus
from facedis.datasets.scan import scan_dataset
from tests.datasets.trees import TREES


def test_keys_are_reader_names():
    assert set(EXPECTED_COUNTS) <= set(plugins.discover(plugins.DATASETS))


@pytest.mark.parametrize("name", EXPECTED_COUNTS)
def test_classes_add_up_to_their_split(name):
    counts = {count.key: count.expected for count in EXPECTED_COUNTS[name]}
    whole = {"no split": counts.get("all"), **counts}
    for split in {what.rpartition(" ")[0] for what in counts if " " in what}:
        parts = [numbers for what, numbers in counts.items() if what.rpartition(" ")[0] == split]
        assert {sum(max(part) for part in parts), sum(min(part) for part in parts)} == set(whole[split])


def test_other_counts_are_explained():
    counts = [
        ExpectedCount("train fear", (10,), {7: "half of it"}),
        ExpectedCount("train anger", (20, 21)),
        ExpectedCount("val anger", (3,)),
    ]
    assert counts[0].explain(10, counts) == ""
    assert counts[0].explain(7, counts) == "half of it"
    assert counts[0].explain(20, counts).startswith("that is the published number of anger")
    assert counts[0].explain(3, counts).startswith("rows are missing")
    assert counts[1].explain(22, counts).startswith("there are more")
    assert counts[1].explain(21, counts) == ""


def test_keys_of_count_records(tmp_path):
    TREES["ckplus"].make(tmp_path)
    numbers = count_records(scan_dataset(CkPlus(tmp_path)).records)
    assert (numbers["all"], numbers["people"], numbers["sequences"], numbers["sequences disgust"]) == (12, 3, 3, 1)
    assert (numbers["neutral"], numbers["no split neutral"], numbers["no split"]) == (3, 3, 12)


def test_fewer_classes_of_ckplus_have_fewer_expected_counts(tmp_path):
    TREES["ckplus"].make(tmp_path)
    assert len(expected_counts_for(CkPlus(tmp_path))) == 9
    assert [count.key for count in expected_counts_for(CkPlus(tmp_path, classes=7))] == [
        f"sequences {name}" for name in ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
    ]
