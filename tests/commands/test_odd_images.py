"""Photographs of every odd kind: the same codes as the plain one, or one clear line."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from facedis.config import AlignConfig
from facedis.faces.cropping.single_image import crop_single_faces
from facedis.faces.io.images import read_image
from tests.commands.test_bad_input import refused


@pytest.fixture
def plain(pictures, tmp_path):
    """A photograph with a face, and its pixels."""
    with Image.open(pictures / "person0154_happiness_0.webp") as image:
        image = image.convert("RGB")
    image.save(tmp_path / "plain.png")
    return tmp_path / "plain.png", image


def turned(image, path):
    """Stored lying on its side, with the tag that says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(path.with_suffix(".jpg"), quality=97, exif=exif)
    return path.with_suffix(".jpg")


def sixteen_bits(image, path):
    grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
    Image.fromarray(grey).save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def animated(image, path):
    other = Image.new("RGB", image.size, "teal")
    image.save(path.with_suffix(".gif"), save_all=True, append_images=[other, other])
    return path.with_suffix(".gif")


def transparent(image, path):
    image = image.copy()
    image.putalpha(255)
    image.save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def palette(image, path):
    image.quantize(256).save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def saved(suffix, mode, **options):
    def save(image, path):
        image.convert(mode).save(path.with_suffix(suffix), **options)
        return path.with_suffix(suffix)

    return save


KINDS = {
    "turned": turned,
    "sixteen_bits": sixteen_bits,
    "animated": animated,
    "transparent": transparent,
    "cmyk": saved(".jpg", "CMYK", quality=97),
    "palette": palette,
    "grey": saved(".png", "L"),
    "bitmap": saved(".bmp", "RGB"),
    "tiff": saved(".tif", "RGB"),
}


def overlap(a, b):
    """Intersection over union of two boxes."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = np.prod(sides.clip(0))
    return shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared)


@pytest.mark.parametrize("kind", KINDS)
def test_the_face_is_found_where_the_plain_one_has_it(plain, tmp_path, kind):
    path, image = plain
    odd = KINDS[kind](image, tmp_path / kind)
    pixels = [np.asarray(Image.fromarray(read_image(each)).convert("L")).astype(float) for each in (path, odd)]
    assert np.corrcoef(pixels[0].ravel(), pixels[1].ravel())[0, 1] > 0.99
    one, other = crop_single_faces([path, odd], AlignConfig(image_size=96, device="cpu"))
    assert overlap(one.box, other.box) > 0.7


def test_all_of_them_in_one_list_by_a_process_of_its_own(here, plain, tmp_path):
    path, image = plain
    rows = [f"{path.name},{make(image, tmp_path / kind).name}" for kind, make in KINDS.items()]
    (tmp_path / "pairs.csv").write_text("\n".join(["image1,image2", *rows]) + "\n")
    words = ["similarity", "--pairs", tmp_path / "pairs.csv", "--run", "runs/one", "--json"]
    done = subprocess.run([sys.executable, "-m", "facedis", *words], capture_output=True, text=True, check=True)
    record = json.loads(done.stdout)
    assert done.stderr == "" and record["n"] == len(KINDS) and record["problems"] == []


def test_sixteen_pixels_are_a_face_only_where_the_user_says_so(facedis, here, plain, tmp_path):
    _, image = plain
    image.resize((16, 16)).save(tmp_path / "small.png")
    image.resize((15, 15)).save(tmp_path / "tiny.png")
    refused(
        facedis("similarity", tmp_path / "small.png", tmp_path / "small.png"), "no face", "small.png", "--crop none"
    )
    assert facedis("similarity", tmp_path / "small.png", tmp_path / "small.png", "--crop", "none", "-q").code == 0
    refused(facedis("similarity", tmp_path / "tiny.png", tmp_path / "tiny.png"), "15 x 15 pixels", "at least 16")


def test_several_faces_cause_a_note(facedis, here, plain, tmp_path):
    path, image = plain
    group = Image.new("RGB", (460, 200), (200, 200, 200))
    group.paste(image.resize((190, 190)), (10, 5))
    group.paste(image.resize((130, 130)), (300, 40))
    group.save(tmp_path / "group.png")
    done = facedis("similarity", path, tmp_path / "group.png", "--json")
    assert done.record["notes"] == [f"{tmp_path / 'group.png'} has 2 faces, the largest is compared"]
    assert "has 2 faces" in facedis("similarity", path, tmp_path / "group.png").out


def test_floating_point_pixels_are_refused(facedis, here, plain, tmp_path):
    Image.fromarray(np.zeros((64, 64), np.float32)).save(tmp_path / "float.tif")
    refused(facedis("similarity", plain[0], tmp_path / "float.tif"), "float.tif", "floating point")
