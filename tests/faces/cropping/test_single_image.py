import numpy as np
import pytest
from PIL import Image

from facedis.config import AlignConfig
from facedis.errors import InputError
from facedis.faces.cropping.crop import box_crop, resize_image
from facedis.faces.cropping.single_image import crop_single_faces
from facedis.faces.io.images import decode_image


def test_each_image_gives_its_face_cut_out_as_the_cache_s_are(folder):
    paths = [folder / "00.png", folder / "group.png"]
    one, several = crop_single_faces(paths, AlignConfig(image_size=96, margin=20.0))
    assert (one.path, one.n_faces, several.n_faces) == (paths[0], 1, 2)
    np.testing.assert_array_equal(one.face, box_crop(decode_image(paths[0]).pixels, one.box, 96, 20))
    assert one.landmarks.shape == (5, 2) and 0.7 < one.probability <= 1
    assert several.box[0] < 200  # the larger face is the left one


def test_a_face_that_is_cut_out_already_needs_no_detector(folder):
    (face,) = crop_single_faces([folder / "empty-room.png"], AlignConfig(crop="none", image_size=48))
    np.testing.assert_array_equal(face.face, resize_image(decode_image(folder / "empty-room.png").pixels, 48))
    assert face.box is None and face.probability is None and face.n_faces == 0


def test_no_face_is_an_error_that_names_the_image_and_the_way_out(folder):
    with pytest.raises(InputError, match=r"no face was found in .*empty-room.png; add --crop none"):
        crop_single_faces([folder / "00.png", folder / "empty-room.png"], AlignConfig())
    (face,) = crop_single_faces([folder / "empty-room.png"], AlignConfig(no_face="full-image"))
    assert face.face.shape == (160, 160, 3)


@pytest.mark.parametrize("name", ["text.jpg", "nothing.png", "absent.png", "tiny.png"])
def test_an_image_that_cannot_be_used_is_an_error(folder, name):
    with pytest.raises(InputError, match=name):
        crop_single_faces([folder / name], AlignConfig())


def test_a_photograph_of_27_by_37_pixels_has_no_face(folder, tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (37, 27, 3), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="no face was found"):
        crop_single_faces([tmp_path / "a.png"], AlignConfig())
