import pytest

from facedis.reports.findings import findings
from facedis.result import Estimate, to_jsonable


def near(value: float, chance: float | None = None, half: float = 0.05) -> Estimate:
    return Estimate(value, value - half, value + half, chance, 200)


def said(
    leak=0.386, adversary=0.14, identity=0.708, rank=40.0, dead=0.0, cosine=0.1, rest=True, erased=0.38, who=0.2
) -> str:
    signs = {
        "effective_rank": Estimate(rank, n=200),
        "dead_share": Estimate(dead, n=200),
        "mean_cosine": near(cosine),
        "total_variance": Estimate(1.0, n=200),
        "size": 64,
    }
    strongest = near(max(leak, adversary), 0.125)
    found = {
        "task": {"accuracy": near(0.7, 0.125), "majority_rate": near(0.3)},
        "leakage": {
            "expression_in_rest": {
                "adversary": near(adversary, 0.125),
                "linear": near(leak, 0.125),
                "strongest": strongest,
                "normalised": near(0.4, 0.0),
                "bits": near(0.62, 0.0),
                "share": near(0.31, 0.0),
            }
            if rest
            else None,
            "expression_in_erased_trunk": {"strongest": near(erased, 0.125)},
            "identity": {"people": 100, "across": 1.0},
            "identity_in_expression": {"strongest": near(who, 0.01, 0.005)},
        },
        "retention": {
            "identity_auc_rest": near(identity, 0.5) if rest and identity else None,
            "embedding_r2_rest": near(0.44, 0.0) if rest else None,
            "identity_auc_expression": None,
            "same_expression_auc": near(0.9, 0.5),
        },
        "collapse": {"rest": signs if rest else None, "expression": signs | {"effective_rank": Estimate(30.0)}},
    }
    return "\n".join(findings(to_jsonable(found)))


def test_a_leak_is_said_with_its_interval_and_chance():
    assert "The rest code still tells the expression: 38.6 % [33.6, 43.6], chance 12.5 %." in said()
    assert "no better than chance: 14.0 %" in said(leak=0.14)
    assert "worse than chance, which is information too: 2.0 %" in said(leak=0.02, adversary=0.02)


def test_an_adversary_that_understates_the_leak_is_named():
    assert "reads only 14.0 % where a fresh probe reads 38.6 %" in said()
    assert "understates" not in said(leak=0.2)  # the intervals overlap: nothing can be said


def test_the_information_is_said_in_bits():
    assert "It holds at least 0.62 bits [0.57, 0.67] of it, 31.0 % of all there is." in said()


@pytest.mark.parametrize(("erased", "word"), [(0.2, "more than"), (0.38, "as much as"), (0.6, "less than")])
def test_plain_algebra_is_the_mark_to_beat(erased, word):
    assert f"leaks {word} trunk features with the expression erased linearly" in said(erased=erased)


def test_who_it_is_is_judged_by_its_interval():
    assert (
        "The expression code tells who it is: right for 20.0 % [19.5, 20.5], chance 1.0 %, by faces with expressions"
        in said()
    )
    assert "tells who it is no better than chance" in said(who=0.01)


def test_where_nobody_is_known_the_trunk_features_stand_in():
    assert "the rest code predicts 0.44 [0.39, 0.49] of the variance" in said(identity=None)
    assert "of the variance" not in said()


@pytest.mark.parametrize(
    ("identity", "verdict"),
    [
        (0.708, "The rest code keeps identity: AUC 0.708"),
        (0.484, "The rest code tells people apart no better than chance: AUC 0.484"),
        (0.2, "The rest code goes by the expression rather than by the person: AUC 0.200"),
    ],
)
def test_identity_is_judged_by_its_interval(identity, verdict):
    assert verdict in said(identity=identity)


@pytest.mark.parametrize(
    ("signs", "verdict"),
    [
        ({}, "The rest code has not collapsed: effective rank 40.0 of 64"),
        ({"rank": 0.0, "dead": 1.0, "cosine": 1.0}, "The rest code is constant"),
        ({"rank": 1.5}, "The rest code has collapsed: effective rank 1.5 of 64"),
        ({"dead": 0.75}, "The rest code has collapsed: effective rank 40.0 of 64, 75.0 % of its numbers dead"),
        ({"cosine": 0.995}, "The rest code has collapsed"),
    ],
)
def test_collapse_is_said(signs, verdict):
    assert verdict in said(**signs)


def test_a_baseline_makes_no_claim_about_a_rest_code():
    text = said(rest=False)
    assert "rest code" not in text
    assert "The expression is named right for 70.0 %" in text
    assert "The expression code has not collapsed: effective rank 30.0 of 64" in text
