"""Decoding of images: every file gives an RGB array or a status with a reason."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from facedis.errors import InputError

#: Minimum side in pixels.
MIN_SIDE = 16
#: Maximum number of pixels; 192 MB when decoded.
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
# Exceptions of Pillow's decoders for broken files.
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
    """A decoded image, or the reason why decoding failed.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, upright; None if the image cannot be used.
        status: "ok", "missing", "unreadable", "too_small" or "too_large".
        reason: Explanation of any status but "ok".
    """

    pixels: np.ndarray | None
    status: str = "ok"
    reason: str = ""


def decode_image(source: Path | str | Callable[[], bytes]) -> DecodedImage:
    """Decode the first frame of an image, rotated by its EXIF orientation, on a white background.

    The size in the header is checked before the pixels are decoded.

    Args:
        source: The file, or a function that returns the bytes of one.
    """
    try:
        with Image.open(io.BytesIO(source()) if callable(source) else source, formats=_FORMATS) as image:
            refused = _check_size(*image.size)
            if refused is None:
                image.load()  # before reading the EXIF data, which would hide errors in the pixels
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
    """Convert an image in memory as `decode_image` converts a file.

    Args:
        image: A Pillow image, or (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) uint8 pixels.
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
    """Read an image as (H, W, 3) uint8 RGB pixels.

    Raises:
        InputError: The image is missing, unreadable, too small or too large.
    """
    decoded = decode_image(path)
    if decoded.pixels is None:
        raise InputError(f"cannot use the image {path}: {decoded.reason}", "give a photograph or a face image")
    return decoded.pixels


def _check_size(width: int, height: int) -> DecodedImage | None:
    if min(width, height) < MIN_SIDE:
        return DecodedImage(None, "too_small", f"{width} x {height} pixels, a side needs at least {MIN_SIDE}")
    if width * height > MAX_PIXELS:
        return DecodedImage(None, "too_large", f"{width} x {height} pixels, at most {MAX_PIXELS // 1_000_000} million")
    return None


def _apply_orientation(image: Image.Image) -> Image.Image:
    try:
        method = _TRANSPOSES.get(image.getexif().get(_EXIF_ORIENTATION, 1))
    except _DECODE_ERRORS:  # a broken EXIF block does not affect the pixels
        method = None
    return image if method is None else image.transpose(method)


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
    """Convert (H, W) grey integers to (H, W, 3) uint8; 32-bit values above 255 count as 16-bit values."""
    if sixteen or values.max() > 255:
        values = values >> 8
    return np.repeat(values.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
