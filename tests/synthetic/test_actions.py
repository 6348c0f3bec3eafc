import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from facedis.synthetic.actions import ACTIONS, EXPRESSIONS, prototype_actions, sample_actions
from facedis.taxonomy import EIGHT


@pytest.fixture(scope="module")
def drawn():
    """(8, 150, 52) vectors and (8, 150) intensities of every expression."""
    found = [
        [sample_actions(name, np.random.default_rng([5, k, i])) for i in range(150)] for k, name in enumerate(EIGHT)
    ]
    return np.array([[v for v, _ in row] for row in found]), np.array([[s for _, s in row] for row in found])


def test_there_are_52_actions_and_every_shape_is_one_of_them():
    assert len(ACTIONS) == len(set(ACTIONS)) == 52
    assert set(EXPRESSIONS) == set(EIGHT)
    for shapes in EXPRESSIONS.values():
        assert all(name in ACTIONS or {name + "Left", name + "Right"} <= set(ACTIONS) for name in shapes)


def test_weights_are_shares_and_the_seed_decides_them(drawn):
    vectors, intensity = drawn
    assert vectors.min() >= 0 and vectors.max() <= 1
    assert (intensity[EIGHT.index("neutral")] == 0).all()
    again, _ = sample_actions("fear", np.random.default_rng([5, EIGHT.index("fear"), 3]))
    np.testing.assert_array_equal(again, vectors[EIGHT.index("fear"), 3])


def test_contempt_is_on_one_side_and_both_sides_occur(drawn):
    left, right = (
        drawn[0][EIGHT.index("contempt")][:, ACTIONS.index(f"mouthDimple{side}")] for side in ("Left", "Right")
    )
    assert ((left > 0.3) != (right > 0.3)).all()
    assert 40 < (left > 0.3).sum() < 110


def test_actions_predict_the_expression(drawn):
    vectors = drawn[0]
    fit, test = vectors[:, :100].reshape(-1, 52), vectors[:, 100:].reshape(-1, 52)
    probe = LogisticRegression(C=100, max_iter=2000).fit(fit, np.repeat(range(8), 100))
    assert probe.score(test, np.repeat(range(8), 50)) >= 0.98


def test_no_single_action_predicts_the_expression(drawn):
    vectors = drawn[0].transpose(2, 0, 1)  # (52, 8, 150)
    for weights in vectors:
        means = weights.mean(1)
        nearest = np.abs(weights[:, :, None] - means).argmin(2)
        recall = (nearest == np.arange(8)[:, None]).mean(1)
        assert recall.mean() < 0.6


def test_distance_from_neutral_grows_with_intensity(drawn):
    vectors, intensity = drawn
    for k, name in enumerate(EIGHT[1:], 1):
        distance = np.linalg.norm(vectors[k] - vectors[0].mean(0), axis=1)
        assert np.corrcoef(distance, intensity[k])[0, 1] > 0.6, name


def test_prototype_actions_are_deterministic():
    assert not prototype_actions("neutral", 0.0).any()
    weak, strong = prototype_actions("happiness", 0.3), prototype_actions("happiness", 0.9)
    smile = ACTIONS.index("mouthSmileLeft")
    assert strong[smile] == pytest.approx(0.45 + 0.9 * 0.45) and weak[smile] < strong[smile]
    np.testing.assert_array_equal(strong, prototype_actions("happiness", 0.9))
