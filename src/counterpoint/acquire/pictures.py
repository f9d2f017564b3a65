"""What a shard keeps of an image, made what other programs read: a file with its extension, a JPEG, gray pixels."""

from io import BytesIO
from typing import NamedTuple

import numpy as np
import simplejpeg
from PIL import Image

from counterpoint.errors import ImageError
from counterpoint.features.bilinear import SIDE_PX, Resize, gray_square
from counterpoint.features.decode import Pixels8, decode, header
from counterpoint.features.pixels import ANY

JPEG_QUALITY = 95
_EXTENSIONS = {"jpeg": "jpg"}


class Stored(NamedTuple):
    """The bytes of a file, what its name ends in, and the size of its picture."""

    data: bytes
    extension: str
    width_px: int
    height_px: int


def as_stored(kept: bytes, *, is_gray: bool) -> Stored:
    """Return what was kept as it is; of bare gray pixels (*is_gray*) a PNG, which loses none of them.

    >>> as_stored(bytes(4096), is_gray=True)[1:]
    ('png', 64, 64)
    """
    if is_gray:
        file = BytesIO()
        Image.fromarray(_gray(kept)).save(file, "PNG")
        return Stored(file.getvalue(), "png", SIDE_PX, SIDE_PX)
    kind, width_px, height_px = header(kept)
    return Stored(kept, _EXTENSIONS.get(kind, kind), width_px, height_px)


def as_jpeg(kept: bytes, *, is_gray: bool) -> bytes:
    """Return what was kept as a JPEG: one as it is, anything else encoded at quality 95.

    >>> header(as_jpeg(bytes(4096), is_gray=True))
    ('jpeg', 64, 64)
    """
    if is_gray:
        return _encoded(_gray(kept)[:, :, None], "GRAY")
    if header(kept)[0] == "jpeg":
        return kept
    return _encoded(decode(kept, limits=ANY, mode="rgb"), "RGB")


def as_gray(kept: bytes, *, is_gray: bool, resize: Resize) -> Pixels8:
    """Return what was kept as 64 × 64 gray pixels.

    >>> as_gray(bytes(4096), is_gray=True, resize="area").shape
    (64, 64)
    """
    return _gray(kept) if is_gray else gray_square(kept, resize=resize)


def _gray(kept: bytes) -> Pixels8:
    if len(kept) != SIDE_PX * SIDE_PX:
        raise ImageError("decode_error", f"{len(kept)} bytes are no {SIDE_PX} x {SIDE_PX} gray pixels")
    return np.frombuffer(kept, dtype=np.uint8).reshape(SIDE_PX, SIDE_PX)


def _encoded(pixels: Pixels8, space: str) -> bytes:
    subsampling = "Gray" if space == "GRAY" else "444"
    data = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels), quality=JPEG_QUALITY, colorspace=space, colorsubsampling=subsampling
    )
    return bytes(data)
