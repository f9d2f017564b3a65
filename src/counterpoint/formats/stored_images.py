"""What was kept of an image, made what other programs read: a file with its extension, or a JPEG."""

from typing import NamedTuple

import simplejpeg

from counterpoint.features.decode import decode, header
from counterpoint.features.resize import ANY

JPEG_QUALITY = 95
_EXTENSIONS = {"jpeg": "jpg"}


class Stored(NamedTuple):
    """The bytes of a file, what its name ends in, and the size of its picture."""

    data: bytes
    extension: str
    width_px: int
    height_px: int


def as_stored(kept: bytes) -> Stored:
    """Return what was kept as it is; its first bytes say what it is.

    >>> from counterpoint.formats.png import gray_png
    >>> as_stored(gray_png(bytes(4096)))[1:]
    ('png', 64, 64)
    """
    kind, width_px, height_px = header(kept)
    return Stored(kept, _EXTENSIONS.get(kind, kind), width_px, height_px)


def as_jpeg(kept: bytes) -> bytes:
    """Return what was kept as a JPEG: one as it is, anything else encoded at quality 95.

    >>> from counterpoint.formats.png import gray_png
    >>> header(as_jpeg(gray_png(bytes(4096))))
    ('jpeg', 64, 64)
    """
    if header(kept)[0] == "jpeg":
        return kept
    pixels = decode(kept, limits=ANY, mode="rgb")
    return bytes(simplejpeg.encode_jpeg(pixels, quality=JPEG_QUALITY, colorspace="RGB", colorsubsampling="444"))
