import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from facedis.errors import InputError
from facedis.faces.io.images import MAX_PIXELS, decode_image, read_image

RAMP = np.stack(np.broadcast_arrays(np.arange(40)[:, None] * 5, np.arange(30) * 8, 7), 2).astype(np.uint8)  # 40 30 3


def saved(path, pixels, mode="RGB", **options):
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return path


def png_header(path, width, height):
    """A PNG that claims a size and has no pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "ppm"])
def test_a_plain_image_gives_its_own_pixels(tmp_path, suffix):
    decoded = decode_image(saved(tmp_path / f"a.{suffix}", RAMP))
    assert decoded.status == "ok"
    np.testing.assert_array_equal(decoded.pixels, RAMP)


# What each EXIF orientation means: how the stored pixels become upright.
TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", TURNS)
def test_the_exif_orientation_is_applied(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "a.png", RAMP, exif=exif)
    np.testing.assert_array_equal(decode_image(path).pixels, TURNS[orientation](RAMP))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_does_not_lose_the_pixels(tmp_path):
    path = saved(tmp_path / "a.png", RAMP, exif=b"Exif\x00\x00MM\x00*\x00\x00\xff\xff garbage")
    np.testing.assert_array_equal(decode_image(path).pixels, RAMP)


def test_grey_palette_and_cmyk_become_rgb(tmp_path):
    grey = np.repeat(RAMP[..., :1], 3, axis=2)
    np.testing.assert_array_equal(decode_image(saved(tmp_path / "l.png", grey, "L")).pixels, grey)
    flat = np.zeros((20, 20, 3), np.uint8)
    flat[:10] = (255, 0, 0)
    np.testing.assert_array_equal(decode_image(saved(tmp_path / "p.gif", flat, "P")).pixels, flat)
    cmyk = decode_image(saved(tmp_path / "c.tiff", flat, "CMYK")).pixels
    assert np.abs(cmyk.astype(int) - flat).max() <= 2


def test_transparency_becomes_white(tmp_path):
    rgba = np.dstack([RAMP, np.where(np.arange(30) < 15, 0, 255)[None].repeat(40, 0)]).astype(np.uint8)
    pixels = decode_image(saved(tmp_path / "a.png", rgba, "RGBA")).pixels
    np.testing.assert_array_equal(pixels[:, 15:], RAMP[:, 15:])
    assert (pixels[:, :15] == 255).all()


def test_a_transparent_palette_becomes_white(tmp_path):
    image = Image.new("P", (20, 20), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.paste(1, (0, 0, 20, 10))
    image.save(tmp_path / "a.png", transparency=0)
    pixels = decode_image(tmp_path / "a.png").pixels
    assert (pixels[:10] == (255, 0, 0)).all() and (pixels[10:] == 255).all()


def test_sixteen_bits_keep_the_high_ones(tmp_path):
    values = (np.arange(20 * 20).reshape(20, 20) * 160).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    pixels = decode_image(tmp_path / "a.png").pixels
    np.testing.assert_array_equal(pixels, np.repeat((values >> 8).astype(np.uint8)[:, :, None], 3, axis=2))


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert (decode_image(tmp_path / "a.gif").pixels == (255, 0, 0)).all()


def bad_files(folder):
    whole = saved(folder / "whole.jpg", np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8)).read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("this is not an image\n" * 40)
    (folder / "folder.jpg").mkdir()
    noise = saved(folder / "noise.png", np.random.default_rng(0).integers(0, 255, (50, 50, 3), np.uint8)).read_bytes()
    (folder / "noise.png").write_bytes(noise[:41] + bytes(20) + noise[61:])
    saved(folder / "tiny.png", RAMP[:15])
    png_header(folder / "huge.png", 30_000, 30_000)
    png_header(folder / "large.png", MAX_PIXELS // 1000 + 1, 1000)
    png_header(folder / "hollow.png", 300, 300)


EXPECTED = {
    "cut.jpg": "unreadable",
    "empty.png": "unreadable",
    "text.jpg": "unreadable",
    "folder.jpg": "unreadable",
    "noise.png": "unreadable",
    "hollow.png": "unreadable",
    "absent.jpg": "missing",
    "tiny.png": "too_small",
    "huge.png": "too_large",
    "large.png": "too_large",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_bad_file_gives_its_status_and_for_one_image_one_clear_line(tmp_path, name):
    bad_files(tmp_path)
    decoded = decode_image(tmp_path / name)
    assert decoded.status == EXPECTED[name]
    assert decoded.pixels is None
    with pytest.raises(InputError) as error:
        read_image(tmp_path / name)
    assert name in str(error.value) and decoded.reason in str(error.value)
    assert "\n" not in str(error.value)


def test_a_photograph_of_27_by_37_pixels_is_read(tmp_path):
    assert read_image(saved(tmp_path / "a.png", RAMP[:37, :27])).shape == (37, 27, 3)
