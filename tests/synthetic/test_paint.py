import numpy as np

from facedis.synthetic.backdrop import backdrop
from facedis.synthetic.capture import Capture
from facedis.synthetic.identity_params import IdentityParams
from facedis.synthetic.paint import height_above_hairline
from facedis.synthetic.render import normals, pose


def test_hairline_is_above_the_brows_and_falls_behind_the_ears():
    person = IdentityParams.sample(np.random.default_rng(0))
    front, crown, nape = (
        height_above_hairline(person, np.zeros(1), np.array([y]), np.array([z]))[0]
        for y, z in ((-0.13, 0.02), (0.0, 0.1), (0.06, 0.0))
    )
    assert front < 0 < crown and nape > 0


def test_hairline_is_symmetric():
    person = IdentityParams.sample(np.random.default_rng(1))
    place = np.random.default_rng(2).uniform(-0.09, 0.09, (3, 50))
    np.testing.assert_array_equal(
        height_above_hairline(person, *place), height_above_hairline(person, -place[0], *place[1:])
    )


def test_backdrop_depends_on_its_seed_only():
    one = backdrop(5, 32)
    assert one.shape == (32, 32, 3) and one.min() >= 0 and one.max() <= 1
    np.testing.assert_array_equal(one, backdrop(5, 32))
    assert np.abs(one - backdrop(6, 32)).mean() > 0.02


def test_pose_is_a_rotation():
    capture = Capture.sample(np.random.default_rng(3))
    turn = pose(capture)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) > 0
    straight = Capture.standard()
    np.testing.assert_allclose(pose(straight), np.eye(3))


def test_normals_of_a_flat_square_point_up():
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.0]])
    np.testing.assert_allclose(normals(square, np.array([[0, 1, 2], [0, 2, 3]])), [[0, 0, 1]] * 4)
