"""Raw pixels as a PNG, so that any decoder of images returns the same pixels.

Does not compress.  Noise would not shrink, and writing is fast so.
"""

import struct
import zlib
from math import isqrt
from typing import Any

import numpy as np

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
    return _png(side_px, side_px, rows, colour_type=0)


def rgb_png(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    """Return *pixels*, shape (height, width, 3), as a PNG.

    >>> from io import BytesIO
    >>> from PIL import Image
    >>> red = np.full((1, 2, 3), (255, 0, 0), np.uint8)
    >>> np.asarray(Image.open(BytesIO(rgb_png(red)))).tolist()
    [[[255, 0, 0], [255, 0, 0]]]
    """
    height_px, width_px, _ = pixels.shape
    rows = np.zeros((height_px, 1 + 3 * width_px), np.uint8)  # each begins with 0: no filter
    rows[:, 1:] = pixels.reshape(height_px, 3 * width_px)
    return _png(width_px, height_px, rows.tobytes(), colour_type=2)


def _png(width_px: int, height_px: int, rows: bytes, *, colour_type: int) -> bytes:
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, colour_type, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 0)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
