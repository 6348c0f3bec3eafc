import sys
import types

import numpy as np
import pytest

from facedis.errors import ConfigError
from facedis.faces.detection.mtcnn_tf import MtcnnTensorFlow


def test_without_its_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mtcnn", None)
    with pytest.raises(ConfigError, match=r"pip install facedis\[mtcnn\]"):
        MtcnnTensorFlow()


class Found:
    """Stands for the package's detector: a face in every image that is not black."""

    def __init__(self, device):
        self.device = device

    def detect_faces(self, image, min_face_size):
        if not image.any():
            return []
        points = {"left_eye": (1, 2), "right_eye": (3, 4), "nose": (5, 6), "mouth_left": (7, 8), "mouth_right": (9, 10)}
        return [{"box": [10, 20, 30, 40], "confidence": 0.5, "keypoints": points}] * min_face_size


def test_its_boxes_and_points_take_our_form(monkeypatch):
    monkeypatch.setitem(sys.modules, "mtcnn", types.SimpleNamespace(MTCNN=Found))
    detector = MtcnnTensorFlow("auto", 24)
    white = np.full((60, 60, 3), 255, np.uint8)
    seen, dark, tiny = detector.detect([white, np.zeros_like(white), white[:20]])
    assert len(seen) == 24 and len(dark) == 0 and len(tiny) == 0
    assert seen.boxes[0].tolist() == [10, 20, 40, 60]
    assert seen.landmarks[0].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    assert seen.probabilities[0] == 0.5
