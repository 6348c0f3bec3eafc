import pytest

from facedis.reports.findings import findings
from facedis.result import Estimate, to_jsonable

PROBE = "balanced accuracy of the best probe"


def near(value: float, chance: float | None = None, half: float = 0.05) -> Estimate:
    return Estimate(value, value - half, value + half, chance, 200)


def text(
    leak=0.386, adversary=0.14, identity=0.708, rank=40.0, dead=0.0, cosine=0.1, rest=True, erased=0.38, person=0.2
) -> str:
    measures = {
        "effective_rank": Estimate(rank, n=200),
        "dead_share": Estimate(dead, n=200),
        "mean_cosine": near(cosine),
        "total_variance": Estimate(1.0, n=200),
        "size": 64,
    }
    strongest = near(max(leak, adversary), 0.125)
    result = {
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
            "identity_in_expression": {"strongest": near(person, 0.01, 0.005)},
        },
        "retention": {
            "identity_auc_rest": near(identity, 0.5) if rest and identity else None,
            "embedding_r2_rest": near(0.44, 0.0) if rest else None,
            "identity_auc_expression": None,
            "same_expression_auc": near(0.9, 0.5),
        },
        "collapse": {"rest": measures if rest else None, "expression": measures | {"effective_rank": Estimate(30.0)}},
    }
    return "\n".join(findings(to_jsonable(result)))


def test_leakage_is_reported_with_interval_and_chance():
    assert f"The rest code leaks the expression: {PROBE} 38.6 % [33.6, 43.6], chance 12.5 %." in text()
    assert f"No leakage of the expression into the rest code was detected: {PROBE} 14.0 %" in text(leak=0.14)
    assert f"below chance; see the notes: {PROBE} 2.0 %" in text(leak=0.02, adversary=0.02)


def test_an_adversary_that_underestimates_leakage_is_reported():
    assert "the training adversary reaches 14.0 %, a probe trained afterwards 38.6 %" in text()
    assert "underestimates" not in text(leak=0.2)  # the intervals overlap


def test_usable_information_is_reported_in_bits():
    assert "in the rest code: at least 0.62 bits [0.57, 0.67], 31.0 % of the entropy." in text()


@pytest.mark.parametrize(("erased", "word"), [(0.2, "more than"), (0.38, "about as much as"), (0.6, "less than")])
def test_leakage_is_compared_with_linear_erasure(erased, word):
    assert f"leaks {word} the trunk features after linear concept erasure (LEACE)" in text(erased=erased)


def test_identity_leakage_follows_from_the_interval():
    assert f"The expression code leaks identity: {PROBE} 20.0 % [19.5, 20.5], chance 1.0 %" in text()
    assert "No leakage of identity into the expression code was detected" in text(person=0.01)


def test_without_identities_the_explained_variance_is_reported():
    assert "The rest code explains 0.44 [0.39, 0.49] of the variance" in text(identity=None)
    assert "of the variance" not in text()


@pytest.mark.parametrize(
    ("identity", "verdict"),
    [
        (0.708, "The rest code separates people across expressions: AUC 0.708"),
        (0.484, "The rest code does not separate people across expressions better than chance: AUC 0.484"),
        (0.2, "The rest code is more similar for the same expression than for the same person: AUC 0.200"),
    ],
)
def test_identity_retention_follows_from_the_interval(identity, verdict):
    assert verdict in text(identity=identity)


@pytest.mark.parametrize(
    ("measures", "verdict"),
    [
        ({}, "The rest code has not collapsed: effective rank 40.0 of 64"),
        ({"rank": 0.0, "dead": 1.0, "cosine": 1.0}, "The rest code is constant"),
        ({"rank": 1.5}, "The rest code has collapsed: effective rank 1.5 of 64"),
        ({"dead": 0.75}, "The rest code has collapsed: effective rank 40.0 of 64, 75.0 % dead dimensions"),
        ({"cosine": 0.995}, "The rest code has collapsed"),
    ],
)
def test_collapse_is_reported(measures, verdict):
    assert verdict in text(**measures)


def test_a_baseline_has_no_finding_about_a_rest_code():
    found = text(rest=False)
    assert "rest code" not in found
    assert "Expression accuracy: 70.0 % [65.0, 75.0], chance 12.5 %." in found
    assert "The expression code has not collapsed: effective rank 30.0 of 64" in found
