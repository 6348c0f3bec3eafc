from pathlib import Path

import pytest

from facedis.reports import published_results as published
from facedis.reports.published_results import matching_protocols
from facedis.taxonomy import EIGHT, SEVEN


def result(dataset="fer2013", split="test", classes=SEVEN, n=3589, accuracy=0.7, seven=None) -> dict:
    task = {"accuracy": {"value": accuracy, "n": n}}
    if seven is not None:
        task["accuracy_without_contempt"] = {"value": seven, "n": n - 500}
    return {"dataset": dataset, "split": split, "classes": list(classes), "n": n, "task": task}


def test_results_are_sorted_by_accuracy():
    (found,) = matching_protocols(result(accuracy=0.711))
    values = [row.accuracy for row in found.rows]
    assert values == sorted(values, reverse=True)
    assert [(row.name, row.accuracy) for row in found.rows if row.is_this_run] == [("this run", pytest.approx(71.1))]
    assert "PrivateTest" in found.title


@pytest.mark.parametrize(
    "other", [{"split": "val"}, {"dataset": "drawn"}, {"n": 1000}, {"classes": SEVEN[:6]}, {"accuracy": None}]
)
def test_other_protocols_do_not_match(other):
    assert matching_protocols(result(**other)) == []


def test_a_model_of_eight_expressions_matches_both_protocols():
    eight, seven = matching_protocols(result("affectnet-2021", "val", EIGHT, 3999, 0.6, 0.64))
    assert "8 expressions" in eight.title and "7 expressions" in seven.title
    assert next(row for row in seven.rows if row.is_this_run).accuracy == pytest.approx(64)
    assert "without contempt" in next(row for row in seven.rows if row.is_this_run).name


def test_every_published_result_has_a_source_and_is_a_percentage():
    for entry in published._protocols()["protocol"]:
        assert set(entry["classes"]) <= set(EIGHT)
        for row in entry["row"]:
            assert row["source"] and 30 < row["accuracy"] <= 100, row


def test_the_docs_contain_the_same_file():
    shown = Path(__file__).parents[2] / "docs" / "published_results.toml"
    assert shown.read_text() == (Path(published.__file__).parent / "published_results.toml").read_text()
