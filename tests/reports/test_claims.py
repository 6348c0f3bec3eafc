import pytest

from facedis.reports.claims import claims
from facedis.result import Figure, plain


def near(value: float, chance: float | None = None, half: float = 0.05) -> Figure:
    return Figure(value, value - half, value + half, chance, 200)


def said(leak=0.386, adversary=0.14, identity=0.708, rank=40.0, dead=0.0, cosine=0.1, rest=True) -> str:
    signs = {
        "effective_rank": Figure(rank, n=200),
        "dead_share": Figure(dead, n=200),
        "mean_cosine": near(cosine),
        "total_variance": Figure(1.0, n=200),
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
            }
            if rest
            else None
        },
        "retention": {
            "identity_auc_rest": near(identity, 0.5) if rest else None,
            "identity_auc_expression": None,
            "same_expression_auc": near(0.9, 0.5),
        },
        "collapse": {"rest": signs if rest else None, "expression": signs | {"effective_rank": Figure(30.0)}},
    }
    return "\n".join(claims(plain(found)))


def test_a_leak_is_said_with_its_interval_and_chance():
    assert "The rest code still tells the expression: 38.6 % [33.6, 43.6], chance 12.5 %." in said()
    assert "no better than chance: 14.0 %" in said(leak=0.14)
    assert "worse than chance, which is information too: 2.0 %" in said(leak=0.02, adversary=0.02)


def test_an_adversary_that_understates_the_leak_is_named():
    assert "reads only 14.0 % where a fresh probe reads 38.6 %" in said()
    assert "understates" not in said(leak=0.2)  # the intervals overlap: nothing can be said


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
