import numpy as np
import pytest
from facenet_pytorch.models.utils.detect_face import extract_face
from PIL import Image

from facedis.faces.cropping.crop import (
    LANDMARK_TEMPLATE,
    MARGIN_SIDE,
    CropSettings,
    box_crop,
    crop_face,
    resize_image,
    similarity_crop,
    similarity_transform,
)

NOISE = np.random.default_rng(0).integers(0, 256, (120, 90, 3), np.uint8)


@pytest.mark.parametrize("box", [(20.3, 30.7, 60.2, 80.9), (-12.0, -7.5, 50.0, 61.0), (40.0, 50.0, 130.0, 140.5)])
@pytest.mark.parametrize("margin", [0, 32])
def test_a_box_crop_has_the_pixels_of_facenet_pytorch(box, margin):
    ours = box_crop(NOISE, np.array(box), 160, margin)
    theirs = extract_face(Image.fromarray(NOISE), np.array(box), image_size=160, margin=margin)
    np.testing.assert_array_equal(ours, theirs.permute(1, 2, 0).numpy())


def test_the_margin_shows_the_same_part_at_every_size():
    box = np.array([30.0, 40.0, 58.0, 68.0])
    large, small = box_crop(NOISE, box, 160, 32), box_crop(NOISE, box, 80, 32)
    halved = large.reshape(80, 2, 80, 2, 3).mean((1, 3))
    assert np.abs(halved - small).mean() < 8
    assert np.abs(halved - box_crop(NOISE, box, 80, 0)).mean() > 16  # the measure does tell margins apart


def test_a_box_outside_the_image_or_without_area_still_gives_a_face():
    for box in ((200.0, 200.0, 260.0, 260.0), (30.0, 30.0, 30.0, 30.0), (-50.0, -50.0, -10.0, -10.0)):
        assert box_crop(NOISE, np.array(box), 32, 0).shape == (32, 32, 3)


def test_the_transform_brings_points_exactly_onto_a_turned_and_scaled_copy():
    turn = 1.7 * np.exp(0.6j)
    targets = [complex(*point) * turn + (5 - 3j) for point in LANDMARK_TEMPLATE]
    matrix = similarity_transform(LANDMARK_TEMPLATE, np.array([[z.real, z.imag] for z in targets]))
    expected = [[turn.real, -turn.imag, 5], [turn.imag, turn.real, -3], [0, 0, 1]]
    np.testing.assert_allclose(matrix, expected, atol=1e-12)


def test_no_nearby_similarity_fits_better():
    rng = np.random.default_rng(1)
    points, targets = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))

    def error(matrix):
        return ((points @ matrix[:2, :2].T + matrix[:2, 2] - targets) ** 2).sum()

    best = similarity_transform(points, targets)
    for _ in range(200):
        a, b, x, y = rng.normal(scale=0.01, size=4)
        assert error(best) <= error(best + np.array([[a, -b, x], [b, a, y], [0, 0, 0]]))


def dots(points, side=200):
    """A dark image with a soft bright spot at each point."""
    y, x = np.mgrid[:side, :side] + 0.5
    spots = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / 18) for px, py in points)
    return np.repeat((255 * spots.clip(0, 1)).astype(np.uint8)[:, :, None], 3, axis=2)


@pytest.mark.parametrize(("turn", "scale"), [(0.0, 100), (0.5, 90), (-2.0, 60), (0.2, 400)])
@pytest.mark.parametrize("margin", [0, 32])
def test_a_similarity_crop_puts_the_landmarks_onto_the_template(turn, scale, margin):
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    side = max(200, 2 * scale)
    landmarks = (LANDMARK_TEMPLATE - 0.5) @ rotation.T * scale + side / 2
    face = similarity_crop(dots(landmarks, side), landmarks, 96, margin)[..., 0].astype(float)
    edge = margin * 96 / MARGIN_SIDE
    y, x = np.mgrid[:96, :96] + 0.5
    for px, py in LANDMARK_TEMPLATE * (96 - edge) + edge / 2:
        near = np.where((x - px) ** 2 + (y - py) ** 2 < 36, face, 0)
        centre = np.array([(x * near).sum(), (y * near).sum()]) / near.sum()
        np.testing.assert_allclose(centre, [px, py], atol=0.35)


def test_a_large_face_is_made_smaller_without_aliasing():
    stripes = np.zeros((1000, 1000, 3), np.uint8)
    stripes[::2] = 255  # single-pixel lines: without a filter they turn to bands
    landmarks = LANDMARK_TEMPLATE * 900 + 50
    assert similarity_crop(stripes, landmarks, 100, 0).std() < 6
    assert box_crop(stripes, np.array([50, 50, 950, 950]), 100, 0).std() < 6


def test_beyond_the_image_its_edge_goes_on():
    y, x = np.mgrid[:60, :60]
    ramp = np.stack([4 * x, 4 * y, np.full_like(x, 99)], axis=2).astype(np.uint8)
    face = similarity_crop(ramp, LANDMARK_TEMPLATE * 60 - 30, 40, 0).astype(
        int
    )  # its left upper quarter shows the image
    assert np.abs(face[:18, :18, :2]).max() <= 2  # the corner's colour, not black: see the third channel
    assert (np.abs(face[..., 2] - 99) <= 2).all()
    assert np.abs(face[:18, 22:38, 0] - face[22, 22:38, 0]).max() <= 4
    assert face[38, 38, 0] > 80


@pytest.mark.parametrize("turn", [0.0, 0.4])
@pytest.mark.parametrize("scale", [30, 90, 300])
def test_a_tight_photograph_has_no_border(turn, scale):
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    landmarks = (LANDMARK_TEMPLATE - 0.5) @ rotation.T * scale + scale / 2 - 0.2 * scale
    face = similarity_crop(np.full((scale, scale, 3), 200, np.uint8), landmarks, 48, 16)
    assert (face == 200).all()


def test_landmarks_far_outside_cost_no_memory():
    assert similarity_crop(NOISE, LANDMARK_TEMPLATE * 60 + 1e7, 40, 0).shape == (40, 40, 3)


def test_the_whole_image_is_untouched_at_its_own_size():
    square = NOISE[:90, :90]
    np.testing.assert_array_equal(resize_image(square, 90), square)
    assert resize_image(NOISE, 48).shape == (48, 48, 3)


def test_the_settings_choose_the_way():
    box, landmarks = np.array([20.0, 20.0, 70.0, 80.0]), LANDMARK_TEMPLATE * 50 + 20
    ways = {way: crop_face(NOISE, box, landmarks, CropSettings(way, 48, 16)) for way in ("box", "similarity", "none")}
    np.testing.assert_array_equal(ways["box"], box_crop(NOISE, box, 48, 16))
    np.testing.assert_array_equal(ways["similarity"], similarity_crop(NOISE, landmarks, 48, 16))
    np.testing.assert_array_equal(ways["none"], resize_image(NOISE, 48))
