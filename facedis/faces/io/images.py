"""Image files to pixels, safely: every file gives an RGB array or the reason why not, never a crash."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from facedis.errors import InputError

#: Pixels; a side below this holds no face worth a row.
MIN_SIDE = 16
#: Pixels; more than any camera's photograph. Decoded, 192 MB.
MAX_PIXELS = 64_000_000

_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
_EXIF_ORIENTATION = 0x0112
_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow's decoders raise on broken files.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """An image file that was read, or the reason why it was not.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, upright; None where the file cannot be used.
        status: "ok", "missing", "unreadable", "too_small" or "too_large".
        reason: In words, where the status is not "ok".
    """

    pixels: np.ndarray | None
    status: str = "ok"
    reason: str = ""


def decode_image(source: Path | str | Callable[[], bytes]) -> DecodedImage:
    """Read an image file: the first frame, turned upright by its EXIF tag, transparency on white.

    The size in the header is checked before any pixel is decoded.

    Args:
        source: The file, or for an image that is no file of its own what gives the bytes of one.
    """
    try:
        with Image.open(io.BytesIO(source()) if callable(source) else source, formats=_FORMATS) as image:
            refused = _check_size(*image.size)
            if refused is None:
                image.load()  # before the EXIF tag is asked for, which hides errors in the pixels
            return refused or DecodedImage(_to_rgb(_apply_orientation(image)))
    except FileNotFoundError:
        return DecodedImage(None, "missing", "there is no such file")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return DecodedImage(None, "too_large", f"it has more than {MAX_PIXELS // 1_000_000} million pixels")
    except Image.UnidentifiedImageError:
        return DecodedImage(None, "unreadable", "it is not an image of a known format")
    except _DECODE_ERRORS as error:
        return DecodedImage(None, "unreadable", str(getattr(error, "strerror", None) or error or type(error).__name__))


def load_from_memory(image: Image.Image | np.ndarray) -> DecodedImage:
    """An image that is in memory already, as `decode_image` would read it from a file.

    Args:
        image: Of Pillow, or (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) uint8 pixels.
    """
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
            shape = " x ".join(map(str, image.shape))
            return DecodedImage(None, "unreadable", f"it is an array of {shape} {image.dtype}, not of H x W x 3 uint8")
        image = Image.fromarray(image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image)
    refused = _check_size(*image.size)
    try:
        return refused or DecodedImage(_to_rgb(_apply_orientation(image)))
    except _DECODE_ERRORS as error:
        return DecodedImage(None, "unreadable", str(error) or type(error).__name__)


def read_image(path: Path | str) -> np.ndarray:
    """(H, W, 3) uint8 RGB pixels of one image that the user named.

    Raises:
        InputError: It is missing, unreadable, too small or too large.
    """
    decoded = decode_image(path)
    if decoded.pixels is None:
        raise InputError(f"cannot use the image {path}: {decoded.reason}", "name a photograph or a face image")
    return decoded.pixels


def _check_size(width: int, height: int) -> DecodedImage | None:
    if min(width, height) < MIN_SIDE:
        return DecodedImage(None, "too_small", f"{width} x {height} pixels, a side needs at least {MIN_SIDE}")
    if width * height > MAX_PIXELS:
        return DecodedImage(None, "too_large", f"{width} x {height} pixels, at most {MAX_PIXELS // 1_000_000} million")
    return None


def _apply_orientation(image: Image.Image) -> Image.Image:
    try:
        turn = _TRANSPOSES.get(image.getexif().get(_EXIF_ORIENTATION, 1))
    except _DECODE_ERRORS:  # a broken EXIF block says nothing about the pixels
        turn = None
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode == "RGB":
        return np.array(image)
    if image.mode.startswith("I"):
        return _integers_to_rgb(np.array(image).astype(np.int64), sixteen=image.mode != "I")
    if image.mode == "F":
        raise ValueError("its pixels are floating point numbers without a known range")
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return np.array(Image.alpha_composite(white, image).convert("RGB"))
    return np.array(image.convert("RGB"))


def _integers_to_rgb(values: np.ndarray, sixteen: bool) -> np.ndarray:
    """(H, W, 3) uint8 of (H, W) grey integers; 32-bit ones hold 8 or 16 bits, which only their values tell."""
    if sixteen or values.max() > 255:
        values = values >> 8
    return np.repeat(values.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
