"""Small pictures that are part of the page file."""

import base64
import io

from PIL import Image

from counterpoint.errors import ImageError
from counterpoint.features.decode import Limits, decode
from counterpoint.formats.images import ImageReader

SIDE_PX, TINY_PX = 128, 96


def thumbnail(ref: str | None, reader: ImageReader) -> str | None:
    """Return an image as a data URI of at most 128 × 128 px, or None when it is absent or cannot be decoded."""
    picture = small(ref, reader)
    if picture is None:
        return None
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def tiny(ref: str | None, reader: ImageReader) -> str | None:
    """Return an image as a data URI of at most 96 × 96 px, for pages with many, or None as `thumbnail` does."""
    picture = small(ref, reader, side_px=TINY_PX)
    if picture is None:
        return None
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=50, method=4)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def small(ref: str | None, reader: ImageReader, *, side_px: int = SIDE_PX) -> Image.Image | None:
    """Return an image whose sides are at most *side_px*, or None when it is absent or cannot be decoded.

    Parameters
    ----------
    ref
        *ref* is the reference of the image.
    reader
        *reader* reads it.
    side_px
        *side_px* is the length of the longer side.
    """
    if ref is None:
        return None
    try:
        pixels = decode(reader.read(ref), limits=Limits(min_side_px=1), mode="rgb", min_side_px=side_px)
    except ImageError:
        return None
    picture = Image.fromarray(pixels)
    picture.thumbnail((side_px, side_px), Image.Resampling.BOX)
    return picture
