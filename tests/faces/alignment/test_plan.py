import pytest
from PIL import Image

from facedis.config import AlignConfig
from facedis.datasets.record import Skipped
from facedis.faces.alignment.plan import make_plan, warn_skipped


@pytest.fixture
def root(tmp_path):
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text("image,expression\na.png,happy\nb.png,hapy\n")
    return tmp_path


def test_skipped_rows_are_told_and_kept_in_the_plan(root):
    events = []
    plan = make_plan(root, AlignConfig(crop="none"), events.append)
    assert [record.image for record in plan.records] == ["a.png"]
    assert plan.skipped == [Skipped("labels.csv", 3, "'hapy' is not the name of a known expression")]
    assert [event.text for event in events if event.kind == "warning"] == [
        "skipped labels.csv, line 3: 'hapy' is not the name of a known expression"
    ]


def test_an_image_is_a_file_or_comes_out_of_a_container(root):
    plan = make_plan(root, AlignConfig(crop="none"))
    assert plan.source(0) == root / "a.png"


def test_reasons_are_told_once_and_their_number_is_bounded():
    events = []
    warn_skipped([Skipped("l", n, f"reason {n % 7}") for n in range(1, 22)], events.append)
    assert events[0].text == "skipped l, line 1 and 2 more: reason 1"
    assert [event.kind for event in events] == ["warning"] * 6
    assert events[5].text.startswith("skipped 6 rows for other reasons")
