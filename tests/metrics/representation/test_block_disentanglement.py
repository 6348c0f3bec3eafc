import numpy as np
import pytest

from facedis.metrics.representation.block_disentanglement import (
    Factor,
    block_importances,
    block_scores,
    completeness,
    informativeness,
)

KINDS = ("whitened",)


def world(mixing: str = "clean", n: int = 400) -> tuple[dict, list[Factor]]:
    """Codes of P, V and Q that encode a class (expression) and an angle (yaw), each in its own code or in both."""
    codes, labels, angles = {"expression": [], "rest": []}, [], []
    for seed in range(3):
        generator = np.random.default_rng(seed)
        label, angle = np.arange(n) % 3, generator.uniform(-1, 1, n)
        one_hot, yaw = 5 * np.eye(3)[label], 5 * np.stack([angle, -angle], axis=1)
        both = np.concatenate([one_hot, yaw], axis=1)
        noise = [0.3 * generator.normal(size=(n, 5)) for _ in range(2)]
        own = {"clean": (np.pad(one_hot, ((0, 0), (0, 2))), np.pad(yaw, ((0, 0), (3, 0)))), "same": (both, both)}
        swapped = own["clean"][::-1]
        first, second = {**own, "swapped": swapped, "nothing": (0 * both, 0 * both)}[mixing]
        codes["expression"].append(first + noise[0])
        codes["rest"].append(second + noise[1])
        labels.append(label)
        angles.append(angle)
    return codes, [Factor("expression", "expression", tuple(labels)), Factor("yaw", "rest", tuple(angles))]


@pytest.mark.parametrize(("mixing", "expected"), [("clean", 1), ("swapped", -1), ("same", 0), ("nothing", 0)])
def test_scores_of_separated_swapped_duplicated_and_empty_codes(mixing, expected):
    scores = block_scores(*world(mixing), KINDS)
    for name, high in (("expression", (0.95, 0.6, 0.9)), ("yaw", (0.4, 0.9, 0.9))):
        for key, least in zip(("block_mig", "block_sap", "block_dci"), high, strict=True):
            value = scores[name][key]
            if expected:
                assert value * expected > least, (name, key, value)
            elif key != "block_dci" or mixing == "same":
                assert abs(value) < 0.15, (name, key, value)


def test_score_and_information_by_code():
    scores = block_scores(*world(), KINDS)["expression"]
    assert scores["score"]["expression"] > 0.99 and scores["score"]["rest"] == pytest.approx(1 / 3, abs=0.08)
    assert scores["block_sap"] == pytest.approx(scores["score"]["expression"] - scores["score"]["rest"])


def test_unknown_values_are_ignored():
    codes, (expression, yaw) = world()
    holes = tuple(np.where(np.arange(len(part)) % 2, part, np.nan) for part in yaw.values)
    assert block_scores(codes, [Factor("yaw", "rest", holes)], KINDS)["yaw"]["block_sap"] > 0.9
    never = tuple(np.full(len(part), -1) for part in expression.values)
    assert block_scores(codes, [Factor("e", "expression", never)], KINDS)["e"]["block_mig"] is None
    assert informativeness(codes["rest"], Factor("e", "expression", never), KINDS, 0) is None


def test_importance_is_the_loss_of_accuracy():
    codes, factors = world()
    lost = block_importances(codes, factors[0], 0)
    assert lost["expression"] == pytest.approx(2 / 3, abs=0.1)  # from 1 to chance
    assert lost["rest"] < 0.05


def test_completeness_of_known_values():
    assert completeness(np.array([0.0, 3.0, 0.0])) == 1
    assert completeness(np.array([2.0, 2.0, 2.0])) == pytest.approx(0)
    assert completeness(np.zeros(3)) == 0
    assert completeness(np.array([0.75, 0.25])) == pytest.approx(1 - 0.811278, abs=1e-6)
