"""The detector `mtcnn-tf`: the PyPI package `mtcnn`, which runs on TensorFlow."""

import numpy as np

from facedis.errors import ConfigError
from facedis.faces.detection.detector import Detections, no_detections

_LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
# The image pyramid of the package has no level for smaller images.
_MIN_SIDE = 12


class MtcnnTensorFlow:
    """An independent MTCNN implementation, several times slower than `mtcnn`."""

    name = "mtcnn-tf"

    def __init__(self, device: str = "auto", min_face_size: int = 20) -> None:
        """`min_face_size` is the smallest face to detect, in pixels.

        Raises:
            ConfigError: The package is not installed.
        """
        try:
            from mtcnn import MTCNN
        except ImportError as error:
            raise ConfigError(
                f"the detector mtcnn-tf needs a package that is not installed ({error.name or error})",
                "pip install facedis[mtcnn]",
            ) from error
        self._networks = MTCNN(device="CPU:0" if device in ("auto", "cpu", "mps") else "GPU:0")
        self._min_face_size = min_face_size

    def detect(self, images: list[np.ndarray]) -> list[Detections]:
        """Detect the faces in each of `images`, (H, W, 3) uint8 RGB of any sizes."""
        return [self._detect(image) for image in images]

    def _detect(self, image: np.ndarray) -> Detections:
        if min(image.shape[:2]) < max(self._min_face_size, _MIN_SIDE):
            return no_detections()
        faces = self._networks.detect_faces(image, min_face_size=self._min_face_size)
        if not faces:
            return no_detections()
        boxes = np.array([face["box"] for face in faces], np.float32)  # left, top, width, height
        boxes[:, 2:] += boxes[:, :2]
        points = np.array([[face["keypoints"][name] for name in _LANDMARKS] for face in faces], np.float32)
        return Detections(boxes, points, np.array([face["confidence"] for face in faces], np.float32))
