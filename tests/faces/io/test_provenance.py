import numpy as np
import pytest
from PIL import Image

from facedis.errors import OutputError
from facedis.faces.io.provenance import COMPOSITE, SYNTHETIC, save_animation, save_image

DESCRIPTION = 0x010E
PICTURE = np.random.default_rng(0).integers(0, 255, (32, 40, 3), np.uint8)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.JPEG", "a.webp"])
def test_every_format_contains_the_label(tmp_path, name):
    save_image(PICTURE, tmp_path / name)
    with Image.open(tmp_path / name) as image:
        assert image.size == (40, 32)
        assert image.getexif()[DESCRIPTION] == SYNTHETIC
        assert name != "a.png" or image.info["Comment"] == SYNTHETIC


def test_a_png_is_lossless_and_takes_another_label(tmp_path):
    save_image(PICTURE, tmp_path / "a.png", COMPOSITE)
    with Image.open(tmp_path / "a.png") as image:
        assert (np.asarray(image) == PICTURE).all() and image.info["Comment"] == COMPOSITE


def test_an_animation_has_all_frames_and_the_label(tmp_path):
    frames = [Image.fromarray(np.full((24, 24, 3), 40 * k, np.uint8)) for k in range(5)]
    save_animation(frames, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 5 and image.info["comment"] == SYNTHETIC.encode() and image.info["loop"] == 0
        durations = []
        for number in range(5):
            image.seek(number)
            durations.append(image.info["duration"])
        assert durations == [600, 90, 90, 90, 600]


@pytest.mark.parametrize("name", ["a.bmp", "a", "a.gif", "a.tiff"])
def test_a_format_without_metadata_is_refused(tmp_path, name):
    with pytest.raises(OutputError, match=r"\.png"):
        save_image(PICTURE, tmp_path / name)
    assert not list(tmp_path.iterdir())
