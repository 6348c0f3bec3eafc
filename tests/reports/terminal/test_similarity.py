import csv
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from facedis.reports.html.similarity_page import MAX_PAIRS, similarity_html
from facedis.reports.tables.similarity_csv import write_csv
from facedis.reports.terminal.similarity import findings, render
from facedis.tasks.similarity.reference_distribution import ComparedCode
from facedis.tasks.similarity.similarity import ComparedPair, PredictedExpression

COMPARED = {
    "cosine": 0.5,
    "percentile_same": 40.0,
    "percentile_different": 90.0,
    "percentile_same_person": None,
    "percentile_different_people": None,
    "same_expression": True,
    "same_person": None,
}
SEPARATION = {"auc": {"value": 0.7, "low": 0.6, "high": 0.8, "chance": 0.5, "n": 9}, "threshold": 0.3, "accepted": 0.25}


def pair(**more):
    predicted = [{"expression": "anger", "probability": 0.9}, {"expression": "fear", "probability": 0.4}]
    known = {"image1": "a/<one>.jpg", "image2": "a/two.jpg", "labels": {}, "predicted": predicted}
    return known | {"expression": COMPARED, "rest": None, "trunk": COMPARED | {"cosine": -0.25}} | more


def record(mode="pair", pairs=None, **more):
    codes = {"expression": {"same_expression": SEPARATION, "same_person": None}}
    return {
        "kind": "similarity",
        "mode": mode,
        "model": "runs/m",
        "facedis": "1",
        "created": "today",
        "command": "facedis similarity",
        "n": 1,
        "seed": 0,
        "pairs": pairs or [pair()],
        "reference": {"n": 99, "split": "val", "faces": "f.h5", "false_accepts": 0.05, "codes": codes},
        "notes": ["one thing"],
    } | more


def ranking():
    return record(
        "ranking", [pair(rank=1, labels={"expression": "", "identity": "Ann"})], by="trunk", faces="in", left_out=2
    )


def pairs():
    auc = {"same": {"expression": SEPARATION["auc"], "trunk": None}}
    problems = [{"line": 7, "image": "<gone>.jpg", "why": "there is no such file"}]
    many = [pair(line=line, labels={"same": "1", "image1": "odd"}) for line in range(2, 6)]
    return record("pairs", many, list="p.csv", auc=auc, left_out=1, problems=problems)


def sample(low=0.05, high=0.2):
    figure = {"value": 0.7, "low": 0.6, "high": 0.8, "chance": 0.5, "n": 9}
    better = {"value": 0.1, "low": low, "high": high, "chance": 0.0, "n": 9}
    contrasts = ("same_expression", "same_expression_one_person", "same_person", "same_person_one_expression")
    spread = {"n": 9, "mean": 0.4, "sd": 0.1, "quantiles": {"5": -0.2, "25": 0.1, "50": 0.4, "75": 0.6, "95": 0.9}}
    kinds = ("same_expression_same_person", "same_expression_other_person")
    kinds += ("other_expression_same_person", "other_expression_other_person")
    labels = {"expression1": "anger", "identity1": "Ann", "expression2": "anger", "identity2": "Bo"}
    return record(
        "sample",
        [pair(kind=kind, labels=labels) for kind in kinds],
        auc={name: {"expression": figure, "trunk": figure} for name in contrasts},
        difference={name: {"expression": better} for name in contrasts},
        kinds={kind: {"expression": spread, "trunk": None if "same_person" in kind else spread} for kind in kinds},
        people=5,
        faces="f.h5",
        split="all",
    )


ALL = {"pair": record, "ranking": ranking, "pairs": pairs, "sample": sample}


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.addresses = [], []

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "img", "link", "input", "br"):
            self.open.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("mode", ALL)
def test_the_page_is_valid_html_and_escapes_names(mode):
    faces = {name: np.full((20, 20, 3), 99, np.uint8) for name in ("a/<one>.jpg", "a/two.jpg")}
    text = similarity_html(ALL[mode](), faces)
    reader = Reader()
    reader.feed(text)
    assert reader.open == [] and all(address.startswith("data:") for address in reader.addresses)
    assert text.count("data:image/jpeg") == {"pair": 2, "ranking": 2, "pairs": 8, "sample": 8}[mode]
    assert "<one>" not in text and "<gone>" not in text and "&lt;one&gt;" in text
    assert "http" not in re.sub(r'<meta http-equiv="[^"]*"', "", text)
    assert "One thing." in text and "0.700 [0.600, 0.800]" in text


def test_a_missing_face_is_shown_by_its_name():
    text = similarity_html(record(), {})
    assert "data:image/jpeg" not in text and "two.jpg" in text


def test_a_truncated_list_has_a_note():
    text = similarity_html(record("pairs", [pair(line=n) for n in range(MAX_PAIRS + 5)], list="p.csv"), {})
    assert f"{MAX_PAIRS} of {MAX_PAIRS + 5}" in text and text.count("<tr data-first") == MAX_PAIRS


@pytest.mark.parametrize("mode", ALL)
def test_every_mode_fits_80_columns(mode):
    console = Console(width=80, record=True, file=io.StringIO())
    for part in render(ALL[mode]()):
        console.print(part)
    text = console.export_text()
    assert "0.500" in text or mode == "sample"
    assert "5 % of others" in text and "One thing." in text and "25.0 %" in text
    assert max(map(len, text.splitlines())) <= 80


def test_findings_depend_on_the_interval():
    assert "better than the trunk features" in next(findings(sample()))
    assert "about as well as the trunk features" in next(findings(sample(low=-0.1)))
    assert "worse than the trunk features" in next(findings(sample(low=-0.2, high=-0.1)))


def test_the_csv_has_one_row_per_pair_and_unique_columns(tmp_path):
    compared = ComparedCode(0.5, 40.0, 90.0, same_expression=True)
    labels = {"same": "1", "image1": "odd"}
    faces = [PredictedExpression("anger", 0.9), PredictedExpression("fear", 0.4)]
    pairs = [
        ComparedPair(
            line=line,
            image1="a/one.jpg",
            image2="a/two.jpg",
            labels=labels,
            predicted=faces,
            expression=compared,
            rest=None,
            trunk=compared,
        )
        for line in range(2, 6)
    ]
    write_csv([pair.row() for pair in pairs], tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 5 and len(set(rows[0])) == len(rows[0])
    found = dict(zip(rows[0], rows[1], strict=True))
    assert (found["line"], found["label_image1"], found["predicted2"]) == ("2", "odd", "fear")
    assert (found["expression_cosine"], found["expression_same_expression"]) == ("0.5", "1")
    assert found["expression_percentile_same_person"] == "" and "rest_cosine" not in found
