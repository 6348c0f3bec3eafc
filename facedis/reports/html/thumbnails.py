"""Thumbnails embedded in HTML pages."""

import base64
import io

import numpy as np
from PIL import Image

#: Side of a thumbnail in pixels.
THUMBNAIL_SIZE = 96


def thumbnail(face: np.ndarray) -> str:
    """The (S, S, 3) uint8 `face` as a JPEG data URI."""
    picture = Image.fromarray(face).resize((THUMBNAIL_SIZE, THUMBNAIL_SIZE), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=85)
    return data_uri(stream.getvalue(), "image/jpeg")


def data_uri(content: bytes, mime_type: str) -> str:
    """`content` as a data URI of a MIME type."""
    return f"data:{mime_type};base64,{base64.b64encode(content).decode('ascii')}"
