import numpy as np
import pytest
from PIL import Image

from facedis.faces.cropping.crop import CropSettings, crop_face, face_to_image
from facedis.faces.cropping.paste import feather_mask, paste_face

BOX = np.array([60.0, 50.0, 130.0, 140.0])
#: Of a face turned by some twenty degrees.
LANDMARKS = np.array([[75.0, 90.0], [108.0, 78.0], [98.0, 102.0], [88.0, 124.0], [115.0, 114.0]])


@pytest.fixture
def photo():
    """A smooth picture, higher than wide."""
    y, x = np.mgrid[:240, :200]
    waves = [128 + 90 * np.sin(x / 17 + k) * np.cos(y / (23 + 3 * k)) for k in range(3)]
    return np.stack(waves, axis=2).round().astype(np.uint8)


def way(photo, settings):
    return face_to_image(photo.shape, BOX, LANDMARKS, settings)


@pytest.mark.parametrize("crop", ["box", "similarity", "none"])
@pytest.mark.parametrize("size", [64, 160])
def test_the_way_back_finds_each_pixel_where_it_came_from(photo, crop, size):
    settings = CropSettings(crop, size, 32.0)
    face = crop_face(photo, BOX, LANDMARKS, settings)
    places = np.array([[0.5, 0.5], [0.3, 0.6], [0.7, 0.4]]) * size
    for x, y in places:
        u, v = (way(photo, settings) @ [x, y, 1])[:2]
        near = photo[int(v), int(u)].astype(int)
        assert abs(near - face[int(y), int(x)]).max() <= 14  # a pixel further the waves are elsewhere


@pytest.mark.parametrize("crop", ["box", "similarity", "none"])
def test_a_face_put_back_where_it_came_from_changes_next_to_nothing(photo, crop):
    settings = CropSettings(crop, 160, 32.0)
    face = crop_face(photo, BOX, LANDMARKS, settings)
    pasted = paste_face(photo, face, way(photo, settings), 160)
    assert abs(pasted.astype(int) - photo).max() <= 4


@pytest.mark.parametrize("crop", ["box", "similarity", "none"])
@pytest.mark.parametrize("drawn", [48, 160, 400])
def test_outside_the_mask_every_bit_stays(photo, crop, drawn):
    settings = CropSettings(crop, 160, 32.0)
    white = np.full((drawn, drawn, 3), (255, 255, 254), np.uint8)  # without colour it would take the photo's
    pasted = paste_face(photo, white, way(photo, settings), 160)
    assert pasted.shape == photo.shape and pasted.dtype == np.uint8
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    places = np.linalg.inv(way(photo, settings)) @ np.stack([x + 0.5, y + 0.5, np.ones_like(x)]).reshape(3, -1)
    inside = ((places[:2] > 0) & (places[:2] < 160)).all(axis=0).reshape(x.shape)
    assert (pasted == photo)[~inside].all()
    middle = (abs(places[:2] - 80) < 20).all(axis=0).reshape(x.shape)
    assert (pasted[middle] >= 254).all()
    changed = (pasted != photo).any(axis=2).sum()
    assert 0.6 * inside.sum() < changed < inside.sum()


def test_a_photograph_without_colour_stays_without(photo):
    grey = np.repeat(photo[:, :, :1], 3, axis=2)
    red = np.full((64, 64, 3), (255, 0, 0), np.uint8)
    pasted = paste_face(grey, red, way(photo, CropSettings("box", 64, 0.0)), 64)
    assert (np.ptp(pasted, axis=2) == 0).all() and (pasted == 76).any()


def test_a_face_without_colour_leaves_the_photograph_its_colours(photo):
    settings = CropSettings("box", 160, 0.0)
    face = crop_face(photo, BOX, LANDMARKS, settings)
    grey = np.repeat(np.asarray(Image.fromarray(face).convert("L"))[:, :, None], 3, axis=2)
    pasted = paste_face(photo, grey, way(photo, settings), 160).astype(int)
    assert abs(pasted - photo).mean() < 1  # its own light put back
    darker = paste_face(photo, (grey * 0.8).astype(np.uint8), way(photo, settings), 160).astype(int)
    assert darker[95, 95].mean() < photo[95, 95].mean() - 10
    np.testing.assert_allclose(np.diff(darker[95, 95]), np.diff(photo[95, 95].astype(int)), atol=2)


def test_a_photograph_is_not_written_into(photo):
    before = photo.copy()
    paste_face(photo, np.zeros((64, 64, 3), np.uint8), way(photo, CropSettings("box", 64, 0.0)), 64)
    assert (photo == before).all()


def test_a_face_that_the_border_cuts_is_pasted_as_far_as_there_is_a_photograph(photo):
    settings = CropSettings("similarity", 96, 32.0)
    landmarks = LANDMARKS - [85, 70]
    white = np.full((96, 96, 3), 255, np.uint8)
    pasted = paste_face(photo, white, face_to_image(photo.shape, None, landmarks, settings), 96)
    assert (pasted[0, 0] > photo[0, 0]).any() and (pasted[150:] == photo[150:]).all()
    beyond = face_to_image(photo.shape, None, landmarks - 900, settings)
    assert (paste_face(photo, white, beyond, 96) == photo).all()


@pytest.mark.parametrize("side", [16, 64, 161])
def test_the_mask_fades_from_the_middle_to_nothing_at_the_border(side):
    weight = feather_mask(side)
    assert weight[side // 2, side // 2] == 1
    border = np.concatenate([weight[0], weight[-1], weight[:, 0], weight[:, -1]])
    assert (border == 0).all()
    half = weight[side // 2, : side // 2]
    assert (np.diff(half) >= 0).all() and (np.diff(half)[half[1:] < 1] < 0.7).all()


def test_without_a_box_the_whole_image_was_the_face(photo):
    settings = CropSettings("box", 100, 32.0)
    assert face_to_image(photo.shape, None, None, settings) @ [100, 100, 1] == pytest.approx([200, 240, 1])
