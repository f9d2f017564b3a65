"""Raw gray pixels as a PNG, so that any decoder of images returns the same pixels.  Does not compress."""

import struct
import zlib
from math import isqrt

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def gray_png(pixels: bytes) -> bytes:
    """Return a square of gray *pixels*, one byte a pixel in the order of rows, as a PNG.

    Raises
    ------
    ValueError
        When the number of pixels is no square.

    Examples
    --------
    >>> from io import BytesIO
    >>> from PIL import Image
    >>> Image.open(BytesIO(gray_png(bytes(range(9))))).tobytes() == bytes(range(9))
    True
    """
    side_px = isqrt(len(pixels))
    if not side_px or side_px**2 != len(pixels):
        raise ValueError(f"{len(pixels)} pixels are no square")
    rows = b"".join(b"\0" + pixels[start : start + side_px] for start in range(0, len(pixels), side_px))
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 0, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 0)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
