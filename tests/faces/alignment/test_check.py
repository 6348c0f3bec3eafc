import json

import pytest
from PIL import Image

from facedis.config import AlignConfig
from facedis.datasets import expected_counts as published
from facedis.datasets.expected_counts import ExpectedCount
from facedis.faces.alignment.check import check_dataset
from tests.datasets.trees import TREES, picture, put, write


@pytest.mark.parametrize("name", TREES)
def test_every_layout_is_checked_image_by_image(name, tmp_path):
    root = tmp_path / ("AffectNet" if name == "affectnet, named folders" else "data")
    root.mkdir()
    tree = TREES[name]
    tree.make(root)
    result = check_dataset(root, AlignConfig())
    assert (result["kind"], result["dataset"], result["source"]) == ("check", tree.reader, str(root))
    assert result["rows"] == len(tree.rows) == sum(result["images"].values())
    assert result["skipped"] == len(tree.skipped) == sum(reason["count"] for reason in result["reasons"])
    assert {each["image"]: each["status"] for each in result["problems"]} == tree.broken
    assert sum(sum(counts.values()) for counts in result["splits"].values()) == len(tree.rows)
    assert result["duplicates"]["images"] == 0
    json.dumps(result)


@pytest.fixture
def root(tmp_path):
    return tmp_path


def rows(root, *lines):
    write(root, "labels.csv", "\n".join(["image,expression,identity,split", *lines, ""]))


def test_equal_images_are_found_whatever_their_format(root):
    for image, seed in (("a.png", 1), ("b.bmp", 1), ("c.png", 2), ("d.png", 1)):
        picture(seed, 40).save(root / image)
    Image.new("RGB", (40, 20)).save(root / "e.png")
    Image.new("RGB", (20, 40)).save(root / "f.png")  # the same bytes in another shape
    rows(
        root,
        "a.png,fear,,train",
        "b.bmp,fear,,test",
        "c.png,fear,,train",
        "d.png,anger,,train",
        "e.png,fear",
        "f.png,fear",
    )
    result = check_dataset(root, AlignConfig())
    assert result["duplicates"] == {
        "images": 2,
        "across_splits": 1,
        "contradicting": 1,
        "pairs": [["a.png", "b.bmp"], ["a.png", "d.png"]],
    }
    told = " ".join(result["findings"])
    assert "the test set overlaps the training set" in told and "at least one of the labels is wrong" in told


def test_people_in_several_splits_are_named(root):
    put(root, "a.png", "b.png", "c.png", "d.png")
    rows(root, "a.png,fear,Ann,train", "b.png,fear,Ann,test", "c.png,fear,Bo,train", "d.png,fear,Ann,train")
    result = check_dataset(root, AlignConfig())
    assert result["people_across"] == {"people": 1, "names": ["Ann"]}
    assert any("the splits are not subject-disjoint" in finding for finding in result["findings"])


def test_a_whole_copy_has_nothing_to_be_told(root, monkeypatch):
    put(root, "a.png", "b.png")
    rows(root, "a.png,fear,Ann,train", "b.png,fear,Bo,test")
    monkeypatch.setitem(
        published.EXPECTED_COUNTS, "labels-csv", [ExpectedCount("train", (1,)), ExpectedCount("test fear", (1, 9))]
    )
    result = check_dataset(root, AlignConfig())
    assert result["findings"] == []
    assert [count["agrees"] for count in result["counts"]] == [True, True]


def test_numbers_that_differ_for_one_reason_are_told_together(root, monkeypatch):
    put(root, "a.png", "b.png")
    rows(root, "a.png,fear,Ann,train", "b.png,fear,Bo,test")
    counts = [ExpectedCount(what, (5,)) for what in ("train", "test", "train fear", "test fear")]
    monkeypatch.setitem(published.EXPECTED_COUNTS, "labels-csv", [*counts, ExpectedCount("all", (1,))])
    findings = check_dataset(root, AlignConfig())["findings"]
    assert findings[0].startswith("train, test, train fear and 1 more: rows are missing")
    assert findings[1].startswith("all: there are more than were published")


def test_pairs_are_counted_and_their_images_looked_for(root):
    TREES["lfw"].make(root)
    assert check_dataset(root, AlignConfig())["pairs"] == {"genuine": 2, "impostor": 2, "absent": 0, "skipped": 0}
    (root / "lfw/Aaron_Eckhart/Aaron_Eckhart_0001.jpg").unlink()
    result = check_dataset(root, AlignConfig())
    assert result["pairs"]["absent"] == 2
    assert any("pairs without their images" in finding for finding in result["findings"])


def test_the_listener_hears_of_every_image(root):
    TREES["fer2013, csv"].make(root)
    events = []
    check_dataset(root, AlignConfig(), events.append)
    assert [event.kind for event in events] == ["start", *["advance"] * 11, "end"]
    assert events[-1].done == events[0].total == 11
