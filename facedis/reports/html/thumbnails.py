"""Small pictures inside a page."""

import base64
import io

import numpy as np
from PIL import Image

#: Side of a face on a page in pixels.
THUMBNAIL_SIZE = 96


def thumbnail(face: np.ndarray) -> str:
    """The data address of a JPEG of the (S, S, 3) uint8 `face`."""
    picture = Image.fromarray(face).resize((THUMBNAIL_SIZE, THUMBNAIL_SIZE), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=85)
    return data_uri(stream.getvalue(), "image/jpeg")


def data_uri(content: bytes, kind: str) -> str:
    """`content` of the MIME type `kind` as an address that needs no request."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
