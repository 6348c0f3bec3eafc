import pytest

from facedis.reports.numbers import DECIMAL, NATS, PERCENT, NumberFormat, compare_to_chance, integer
from facedis.result import Estimate, to_jsonable

FIGURE = Estimate(0.7333, 0.676, 0.7841, 0.125, 1254)


@pytest.mark.parametrize("figure", [FIGURE, to_jsonable(FIGURE)])
def test_a_figure_and_its_record_read_the_same(figure):
    assert PERCENT.full(figure) == "73.3 % [67.6, 78.4], chance 12.5 %, n 1,254"
    assert PERCENT.with_chance(figure) == "73.3 % [67.6, 78.4], chance 12.5 %"
    assert DECIMAL.with_interval(figure) == "0.733 [0.676, 0.784]"
    assert NATS.chance(figure) == "0.125 nats"


def test_what_is_missing_is_left_out():
    assert PERCENT.full(Estimate(0.5)) == "50.0 %"
    assert PERCENT.full(None) == PERCENT.value(to_jsonable(Estimate(float("nan")))) == "–"
    assert PERCENT.value(Estimate(float("nan"))) == "–"
    assert PERCENT.full(Estimate(0.5, chance=0.5, n=0)) == "50.0 %, chance 50.0 %, n 0"
    assert integer(None) == ""


def test_zero_has_no_sign():
    assert NumberFormat(digits=1).value(Estimate(-0.01)) == "0.0"
    assert NumberFormat(digits=1).value(Estimate(-0.06)) == "-0.1"


def test_the_whole_interval_is_compared_with_chance():
    assert compare_to_chance(FIGURE) == "above"
    assert compare_to_chance(Estimate(0.2, 0.1, 0.3, 0.25)) == "at"
    assert compare_to_chance(Estimate(0.2, 0.1, 0.25, 0.25)) == "at"
    assert compare_to_chance(Estimate(0.1, 0.05, 0.2, 0.25)) == "below"
    assert compare_to_chance(Estimate(0.1, chance=0.25)) is None
    assert compare_to_chance(None) is None
