import numpy as np
import pytest

from facedis.faces.detection.detector import Detections, no_detections, select_face

# Left a sure one, in the middle a small one, right a large one; the image is 100 x 200.
FOUND = Detections(
    np.array([[5, 30, 45, 70], [90, 40, 115, 65], [120, 20, 190, 90]], np.float32),
    np.zeros((3, 5, 2), np.float32),
    np.array([0.99, 0.8, 0.9], np.float32),
)


@pytest.mark.parametrize(("policy", "index"), [("largest", 2), ("central", 1), ("most-certain", 0)])
def test_each_policy_takes_its_face(policy, index):
    assert select_face(FOUND, (100, 200, 3), policy) == index


def test_the_centre_is_that_of_the_image():
    assert select_face(FOUND, (100, 40, 3), "central") == 0


def test_nothing_found_has_the_right_shapes():
    nothing = no_detections()
    assert len(nothing) == 0
    assert (nothing.boxes.shape, nothing.landmarks.shape, nothing.probabilities.shape) == ((0, 4), (0, 5, 2), (0,))
