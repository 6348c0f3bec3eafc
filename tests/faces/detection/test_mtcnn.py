import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from PIL import Image

from facedis.errors import ConfigError
from facedis.faces.detection.detector import Detections
from facedis.faces.detection.mtcnn import Mtcnn


@pytest.fixture(scope="module")
def detector():
    return Mtcnn("cpu", 20)


def original(image, min_face_size=20):
    """Boxes, probabilities and points of facenet-pytorch, or None."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # several would wait for each other on a busy machine
    try:
        found = MTCNN(keep_all=True, min_face_size=min_face_size).detect(Image.fromarray(image), landmarks=True)
    finally:
        torch.set_num_threads(threads)
    return None if found[0] is None else tuple(np.array(values.tolist(), np.float32) for values in found)


@pytest.fixture(scope="module")
def scenes(portraits, group):
    """Pictures of several sizes: portraits cut at the border, turned, scaled, and groups."""
    scaled = [
        np.asarray(Image.fromarray(portraits[1]).resize(size, Image.Resampling.BICUBIC))
        for size in ((333, 250), (77, 91))
    ]
    close_up = np.ascontiguousarray(portraits[4][40:160, 50:142])
    tiled = np.vstack([np.hstack(portraits[:3]), np.hstack(portraits[3:6])])
    return [portraits[0], *scaled, portraits[2], close_up, group, tiled, portraits[5][::-1].copy(), portraits[6]]


def same_faces(found: Detections, boxes, probabilities, points):
    order = np.argsort(-found.probabilities)
    other = np.argsort(-probabilities)
    np.testing.assert_allclose(found.boxes[order], boxes[other], atol=0.02)
    np.testing.assert_allclose(found.landmarks[order], points[other], atol=0.02)
    np.testing.assert_allclose(found.probabilities[order], probabilities[other], atol=1e-4)


def test_finds_what_facenet_pytorch_finds_in_mixed_sizes(detector, scenes):
    counts = []
    for image, found in zip(scenes, detector.detect(scenes), strict=True):
        theirs = original(image)
        counts.append(0 if theirs is None else len(theirs[0]))
        assert len(found) == counts[-1]
        if theirs is not None:
            same_faces(found, *theirs)
    assert max(counts) >= 5 and counts.count(1) >= 3  # the scenes do hold faces


def test_the_smallest_face_is_respected(portraits):
    same_faces(Mtcnn("cpu", 60).detect(portraits[:1])[0], *original(portraits[0], 60))
    assert len(Mtcnn("cpu", 193).detect(portraits[:1])[0]) == 0  # larger than the picture


def test_the_company_of_other_images_changes_nothing_but_the_last_bits(detector, scenes):
    for image, together in zip(scenes, detector.detect(scenes), strict=True):
        alone = detector.detect([image])[0]
        assert len(alone) == len(together)
        np.testing.assert_allclose(alone.boxes, together.boxes, atol=0.02)


def test_the_same_call_gives_the_same_bits(detector, scenes):
    for first, second in zip(detector.detect(scenes), detector.detect(scenes), strict=True):
        np.testing.assert_array_equal(first.boxes, second.boxes)
        np.testing.assert_array_equal(first.landmarks, second.landmarks)
        np.testing.assert_array_equal(first.probabilities, second.probabilities)


@pytest.mark.parametrize("shape", [(37, 27), (20, 20), (19, 300), (16, 16), (1, 1), (21, 2000)])
def test_tiny_and_narrow_images_are_no_trouble(detector, shape):
    grey = np.full((*shape, 3), 128, np.uint8)
    speckled = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    for found in detector.detect([grey, speckled]):
        assert found.boxes.shape[1:] == (4,) and found.landmarks.shape[1:] == (5, 2)
        assert len(found.boxes) == len(found.landmarks) == len(found.probabilities)
    assert len(detector.detect([grey])[0]) == 0


def test_large_images_are_worked_on_in_stripes_without_a_seam(detector, portraits):
    wall = np.vstack([np.hstack(portraits[:3]), np.hstack(portraits[3:6])])  # several passes at the largest scale
    found = detector.detect([wall])[0]
    assert len(found) >= 5
    same_faces(found, *original(wall))


def test_no_images_no_detections(detector):
    assert detector.detect([]) == []


def test_torch_keeps_its_number_of_threads(portraits):
    before = torch.get_num_threads()
    Mtcnn("cpu").detect(portraits)
    assert torch.get_num_threads() == before


def test_a_missing_gpu_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="--device cuda"):
        Mtcnn("cuda")
