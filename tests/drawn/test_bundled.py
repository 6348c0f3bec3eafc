import csv
from collections import Counter
from functools import partial
from threading import Barrier, Thread

import pytest
from PIL import Image

from facedis.drawn import bundled
from facedis.errors import OutputError
from facedis.taxonomy import EIGHT


@pytest.fixture
def few(monkeypatch, tmp_path):
    """A home folder of its own, small pictures and one person a split."""
    monkeypatch.setenv("FACEDIS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(bundled, "SIZE", 32)
    monkeypatch.setattr(bundled, "make", partial(bundled.make, people={"train": 1, "val": 1, "test": 1}))
    return tmp_path / "home"


def table(place):
    with (place / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_person_shows_every_expression_in_one_split(few):
    place = bundled.folder()
    rows = table(place)
    assert Counter((row["identity"], row["expression"]) for row in rows) == {
        (person, expression): 2 for person in ("person01", "person02", "person03") for expression in EIGHT
    }
    assert {(row["identity"], row["split"]) for row in rows} == {
        ("person01", "train"),
        ("person02", "val"),
        ("person03", "test"),
    }
    assert {path.name for path in place.glob("*.jpg")} == {row["image"] for row in rows}
    with Image.open(place / "person03_happiness_1.jpg") as image:
        assert image.size == (32, 32)


def test_the_whole_set_is_768_pictures():
    rows = list(bundled._rows(bundled.PEOPLE))
    assert len(rows) == 768
    assert Counter(split for *_, split in rows) == {"train": 512, "val": 128, "test": 128}
    assert len({bundled._name(*row[:3]) for row in rows}) == 768


def test_it_is_made_once(few, monkeypatch):
    events = []
    place = bundled.folder(events.append)
    assert (events[0].kind, events[0].total, events[-2].done, events[-1].kind) == ("start", 48, 48, "end")
    monkeypatch.setattr(bundled, "make", None)
    assert bundled.folder() == place


def test_broken_off_it_leaves_nothing(few, monkeypatch):
    def stop(place, row):
        if row[0] == 2:
            raise KeyboardInterrupt
        save(place, row)

    save = bundled._save
    monkeypatch.setattr(bundled, "_save", stop)
    with pytest.raises(KeyboardInterrupt):
        bundled.folder()
    assert list(few.iterdir()) == []
    monkeypatch.setattr(bundled, "_save", save)
    assert len(table(bundled.folder())) == 48


def test_two_at_once_get_the_same_folder(few, monkeypatch):
    make, together, places = bundled.make, Barrier(2), []

    def both(place, listener):
        together.wait(timeout=20)
        make(place, listener=listener)
        together.wait(timeout=60)

    monkeypatch.setattr(bundled, "make", both)
    threads = [Thread(target=lambda: places.append(bundled.folder())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert places == [few / "drawn-faces-1"] * 2
    assert [path.name for path in few.iterdir()] == ["drawn-faces-1"]
    assert len(table(places[0])) == 48


def test_a_home_that_cannot_be_written_is_one_line(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FACEDIS_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(OutputError, match="set FACEDIS_HOME"):
        bundled.folder()
