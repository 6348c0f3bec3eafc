import base64
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest

from facedis.reports.html.evaluation_page import evaluation_html, write_evaluation
from tests.chromium import LOOK, ask, needs_chromium
from tests.reports.terminal.test_eval import CLASSES, result


def gallery(**more) -> SimpleNamespace:
    face = SimpleNamespace(
        face=np.full((32, 32, 3), 120, np.uint8),
        truth="sadness",
        answer="happiness",
        probability=0.97,
        source="<a&b>.png",
    )
    person = SimpleNamespace(name="p<1>", accuracy=0.25, n=4)
    places = np.random.default_rng(0).normal(size=(9, 2))
    found = {
        "maps": {"expression": places, "rest": places},
        "labels": np.arange(9) % 3,
        "people": (person,),
        "best": (),
        "worst": (face,),
    }
    return SimpleNamespace(**(found | more))


def record(**more) -> dict:
    return result(facedis="1.0", created="today", command="facedis eval", dataset="rendered", **more)


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.addresses = [], []

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "img", "link"):
            self.open.append(tag)
        self.addresses += [value for name, value in attributes if name == "src"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_self_contained():
    text = evaluation_html(record(), gallery())
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    assert len(reader.addresses) == 6  # plane, confusion, maps, expressions, people, one face
    assert all(address.startswith("data:image/") for address in reader.addresses)
    assert "<script" not in text and "@import" not in text and "url(" not in text


def test_data_uris_have_the_right_mime_type():
    kinds = re.findall(r"data:image/([a-z+]+);base64,([^\"]+)", evaluation_html(record(), gallery()))
    heads = {"svg+xml": b"<?xml", "png": b"\x89PNG", "jpeg": b"\xff\xd8"}
    assert {kind for kind, _ in kinds} == set(heads)
    assert all(base64.b64decode(content).startswith(heads[kind]) for kind, content in kinds)


def test_names_are_escaped():
    text = evaluation_html(record(notes=["<b>loud</b>"]), gallery())
    assert "<b>loud" not in text and "&lt;b&gt;loud" in text
    assert "&lt;a&amp;b&gt;.png" in text


def test_the_page_has_the_tables_and_findings_of_the_terminal_report():
    text = evaluation_html(record(), gallery())
    assert "51.2 %</td><td>[40.0, 60.0]</td><td>33.3 %</td><td>1,234" in text
    assert "The rest code leaks the expression" in text
    assert "sadness predicted as happiness, 97%" in " ".join(text.split())


def test_a_baseline_without_people_has_fewer_figures():
    places = {"expression": np.zeros((3, 2))}
    reader = Reader()
    reader.feed(evaluation_html(record(rest=False), gallery(maps=places, labels=np.arange(3), people=(), worst=())))
    assert len(reader.addresses) == 4


def test_the_page_is_deterministic(tmp_path):
    for name in ("a.html", "b.html"):
        write_evaluation(record(), gallery(), tmp_path / name)
    assert (tmp_path / "a.html").read_text() == (tmp_path / "b.html").read_text()
    assert CLASSES[0] in (tmp_path / "a.html").read_text()


@needs_chromium
@pytest.mark.parametrize("width", [1200, 390])
def test_a_browser_shows_every_image_without_requests(tmp_path, width):
    write_evaluation(record(), gallery(), tmp_path / "page.html")
    found = ask(tmp_path / "page.html", LOOK, tmp_path, width)
    assert found["pictures"] == 6 and found["bad"] == 0 and found["wide"] <= 0
