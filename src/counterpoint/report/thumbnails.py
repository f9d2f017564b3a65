"""Small pictures that are part of the page file."""

import base64
import io

from PIL import Image

from counterpoint.errors import ImageError
from counterpoint.features.decode import Limits, decode
from counterpoint.formats.images import ImageReader

SIDE_PX = 128


def thumbnail(ref: str | None, reader: ImageReader) -> str | None:
    """Return an image as a data URI of at most 128 × 128 px, or None when it is absent or cannot be decoded."""
    picture = small(ref, reader)
    if picture is None:
        return None
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def small(ref: str | None, reader: ImageReader) -> Image.Image | None:
    """Return an image of at most 128 × 128 px, or None when it is absent or cannot be decoded."""
    if ref is None:
        return None
    try:
        pixels = decode(reader.read(ref), limits=Limits(min_side_px=1), mode="rgb", min_side_px=SIDE_PX)
    except ImageError:
        return None
    picture = Image.fromarray(pixels)
    picture.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    return picture
