import pytest

from facedis import plugins
from facedis.datasets.expected_counts import PUBLISHED, Count, counted, published_for
from facedis.datasets.readers.expression.ckplus import CkPlus
from facedis.datasets.scan import read
from tests.datasets.trees import TREES


def test_every_name_is_a_reader_s():
    assert set(PUBLISHED) <= set(plugins.discover(plugins.DATASETS))


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_classes_of_a_split_add_up_to_it(name):
    counts = {count.what: count.published for count in PUBLISHED[name]}
    whole = {"no split": counts.get("all"), **counts}
    for split in {what.rpartition(" ")[0] for what in counts if " " in what}:
        parts = [numbers for what, numbers in counts.items() if what.rpartition(" ")[0] == split]
        assert {sum(max(part) for part in parts), sum(min(part) for part in parts)} == set(whole[split])


def test_a_number_that_differs_is_explained():
    counts = [Count("train fear", (10,), {7: "half of it"}), Count("train anger", (20, 21)), Count("val anger", (3,))]
    assert counts[0].meaning(10, counts) == ""
    assert counts[0].meaning(7, counts) == "half of it"
    assert counts[0].meaning(20, counts).startswith("that is the published number of anger")
    assert counts[0].meaning(3, counts).startswith("rows are missing")
    assert counts[1].meaning(22, counts).startswith("there are more")
    assert counts[1].meaning(21, counts) == ""


def test_what_is_counted(tmp_path):
    TREES["ckplus"].make(tmp_path)
    numbers = counted(read(CkPlus(tmp_path)).records)
    assert (numbers["all"], numbers["people"], numbers["sequences"], numbers["sequences disgust"]) == (12, 3, 3, 1)
    assert (numbers["neutral"], numbers["no split neutral"], numbers["no split"]) == (3, 3, 12)


def test_fewer_classes_of_ckplus_are_compared_with_those_only(tmp_path):
    TREES["ckplus"].make(tmp_path)
    assert len(published_for(CkPlus(tmp_path))) == 9
    assert [count.what for count in published_for(CkPlus(tmp_path, classes=7))] == [
        f"sequences {name}" for name in ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
    ]
