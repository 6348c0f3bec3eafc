import numpy as np
import pytest
from PIL import Image

from facedis.config import AlignConfig
from facedis.datasets.record import FaceRecord
from facedis.errors import ConfigError, InputError
from facedis.faces.alignment.align_dataset import align
from facedis.faces.cache.cache import FacesCache
from facedis.faces.cropping.crop import box_crop, similarity_crop
from facedis.faces.detection.dataset_boxes import DatasetBoxes
from facedis.faces.io.images import decode_image
from tests.datasets.trees import AFFECTNET_IMAGES, HEADER, TREES, affectnet_row, greys, put, write

POINTS = (10.0, 12, 30, 12, 20, 20, 12, 30, 28, 30)


def faces(*records):
    found = DatasetBoxes("cpu", 20).detect([np.zeros((50, 60, 3), np.uint8)] * len(records), records)
    return [len(each) for each in found], found


def test_the_dataset_s_box_and_landmarks_are_the_detection():
    _, (found,) = faces(FaceRecord("a", box=(-5, 1, 30, 70), landmarks=POINTS))
    assert found.boxes.tolist() == [[-5, 1, 30, 70]]
    assert found.landmarks.ravel().tolist() == list(POINTS)
    assert np.isnan(found.probabilities).all()


def test_nothing_given_or_a_box_outside_the_image_is_no_face():
    outside = [(60, 1, 70, 9), (1, 50, 9, 60), (-9, 1, 0, 9), (1, -9, 9, 0)]
    assert faces(FaceRecord("a"), *(FaceRecord("a", box=box) for box in outside))[0] == [0] * 5


def test_landmarks_alone_are_a_face_without_a_box():
    counts, (found,) = faces(FaceRecord("a", landmarks=POINTS))
    assert counts == [1] and np.isnan(found.boxes).all()


@pytest.fixture
def root(tmp_path):
    boxes = ["5,6,40,42", "NULL,NULL,NULL,NULL", "900,6,40,42", "-8,-3,40,42"]
    rows = [affectnet_row(image, 1, box) for image, box in zip(AFFECTNET_IMAGES, boxes, strict=True)]
    write(tmp_path, "data/training.csv", "\n".join([HEADER, *rows]))
    put(tmp_path / "data", *AFFECTNET_IMAGES)
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("crop", "statuses"),
    [("box", ["ok", "no_face", "no_face", "ok"]), ("similarity", ["ok", "ok", "no_face", "ok"])],
)
def test_faces_are_cut_out_by_what_the_dataset_gives(root, crop, statuses, tmp_path):
    result = align(root, tmp_path / "faces.h5", AlignConfig(detector="annotations", crop=crop, image_size=40))
    assert result.detector == "annotations"
    with FacesCache.open(tmp_path / "faces.h5") as cache:
        assert cache.status.tolist() == statuses
        image = decode_image(root / AFFECTNET_IMAGES[3]).pixels
        points = cache.column("landmarks")[3]
        expected = (
            box_crop(image, np.array([-8, -3, 32, 39]), 40, 32)
            if crop == "box"
            else similarity_crop(image, points, 40, 32)
        )
        assert np.array_equal(cache.faces(np.array([3]))[0], expected)


def test_a_dataset_that_gives_nothing_is_refused(tmp_path):
    put(tmp_path, "happy/1.png")
    for crop, what in (("box", "face boxes"), ("similarity", "landmarks")):
        with pytest.raises(InputError, match=f"the class-folders dataset has no {what}"):
            align(tmp_path, tmp_path / "faces.h5", AlignConfig(detector="annotations", crop=crop))


def test_no_detector_means_whole_images(tmp_path):
    Image.new("RGB", (30, 30)).save(tmp_path / "a.png")
    write(tmp_path, "labels.csv", "image,expression\na.png,fear\n")
    result = align(tmp_path, tmp_path / "faces.h5", AlignConfig(detector="none"))
    assert (result.crop, result.size, result.n) == ("none", 30, 1)
    for crop in ("box", "similarity"):
        with pytest.raises(ConfigError, match="needs a detector"):
            AlignConfig(detector="none", crop=crop)


def test_images_in_a_container_are_aligned_like_files(tmp_path):
    TREES["fer2013, csv"].make(tmp_path)
    align(tmp_path, tmp_path / "faces.h5", AlignConfig())
    with FacesCache.open(tmp_path / "faces.h5") as cache:
        assert (len(cache), cache.info.size, cache.grey) == (11, 48, True)
        rows = [int(source[-9:-4]) for source in cache.sources]
        assert all(np.array_equal(cache.faces(np.array([at]))[0][..., 0], greys(row)) for at, row in enumerate(rows))
