import pytest

from facedis.reports.numbers import DECIMAL, NATS, PERCENT, EstimateRow, NumberFormat, compare_to_chance, count
from facedis.result import Estimate, to_jsonable

ESTIMATE = Estimate(0.7333, 0.676, 0.7841, 0.125, 1254)


@pytest.mark.parametrize("estimate", [ESTIMATE, to_jsonable(ESTIMATE)])
def test_an_estimate_and_its_record_are_written_alike(estimate):
    assert PERCENT.full(estimate) == "73.3 % [67.6, 78.4], chance 12.5 %, n 1,254"
    assert PERCENT.with_chance(estimate) == "73.3 % [67.6, 78.4], chance 12.5 %"
    assert DECIMAL.with_interval(estimate) == "0.733 [0.676, 0.784]"
    assert NATS.chance(estimate) == "0.125 nats"
    cells = EstimateRow("accuracy", PERCENT, estimate).cells()
    assert cells == ("accuracy", "73.3 %", "[67.6, 78.4]", "12.5 %", "1,254")


def test_missing_values_are_left_out():
    assert PERCENT.full(Estimate(0.5)) == "50.0 %"
    assert PERCENT.full(None) == PERCENT.value(to_jsonable(Estimate(float("nan")))) == "–"
    assert PERCENT.value(Estimate(float("nan"))) == "–"
    assert PERCENT.full(Estimate(0.5, chance=0.5, n=0)) == "50.0 %, chance 50.0 %, n 0"
    assert EstimateRow("x", PERCENT, None).cells() == ("x", "–", "", "", "")


def test_zero_has_no_sign():
    assert NumberFormat(digits=1).value(Estimate(-0.01)) == "0.0"
    assert NumberFormat(digits=1).value(Estimate(-0.06)) == "-0.1"


def test_the_whole_interval_is_compared_with_chance():
    assert compare_to_chance(ESTIMATE) == "above"
    assert compare_to_chance(Estimate(0.2, 0.1, 0.3, 0.25)) == "at"
    assert compare_to_chance(Estimate(0.2, 0.1, 0.25, 0.25)) == "at"
    assert compare_to_chance(Estimate(0.1, 0.05, 0.2, 0.25)) == "below"
    assert compare_to_chance(Estimate(0.1, chance=0.25)) is None
    assert compare_to_chance(None) is None


def test_counts_agree_with_their_nouns():
    assert [count(n, "image") for n in (0, 1, 2, 1234)] == ["0 images", "1 image", "2 images", "1,234 images"]
    assert [count(n, "person", "people") for n in (1, 2)] == ["1 person", "2 people"]
