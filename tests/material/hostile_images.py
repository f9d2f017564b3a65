"""Bodies that a hostile host may send: good images, damaged images, and files that are no image."""

import gzip
import io
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from PIL import Image

Body = Callable[[], bytes]

MEGABYTE = 1 << 20


def picture(width_px: int = 96, height_px: int = 64) -> Image.Image:
    """Return a photo-like picture: smooth, coloured, always the same."""
    coarse = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width_px, height_px), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Return the bytes of an image."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@cache
def jpeg() -> bytes:
    """A small JPEG, as most answers have it."""
    return encoded(picture(), "JPEG", quality=90)


@cache
def png() -> bytes:
    """A small PNG."""
    return encoded(picture(), "PNG")


@cache
def animation() -> bytes:
    """A GIF of three frames."""
    return encoded(picture(), "GIF", save_all=True, append_images=[picture().rotate(90), picture().rotate(180)])


@cache
def rotated() -> bytes:
    """A JPEG that is shown with a rotation of 90 degrees."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(picture(), "JPEG", exif=exif)


@cache
def sixteen_bits() -> bytes:
    """A gray PNG of 16 bits a pixel."""
    return encoded(Image.fromarray(np.linspace(0, 65535, 6400).reshape(80, 80).astype(np.uint16)), "PNG")


@cache
def translucent() -> bytes:
    """A PNG with an alpha channel."""
    image = picture().convert("RGBA")
    image.putalpha(100)
    return encoded(image, "PNG")


OK_IMAGES: dict[str, Body] = {
    "jpeg": jpeg,
    "jpeg-progressive": lambda: encoded(picture(), "JPEG", progressive=True),
    "jpeg-gray": lambda: encoded(picture().convert("L"), "JPEG"),
    "jpeg-cmyk": lambda: encoded(picture().convert("CMYK"), "JPEG"),
    "jpeg-rotated": rotated,
    "png": png,
    "png-alpha": translucent,
    "png-palette": lambda: encoded(picture().quantize(16), "PNG"),
    "png-16-bits": sixteen_bits,
    "gif-animated": animation,
    "webp": lambda: encoded(picture(), "WEBP"),
    "avif": lambda: encoded(picture(), "AVIF"),
}
"""One image of each format that is read.  All are stored as 96 x 64 px, except the 16-bit PNG."""


def unread(kind: str) -> Body:
    """An image of a format that is not read."""
    return lambda: encoded(picture(), kind)


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
SVG = b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg' width='90' height='90'><script>1</script></svg>"
HTML = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body><svg/></body></html>"


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(width_px: int, height_px: int, rows: bytes, bits: int = 8) -> bytes:
    """Return a gray PNG with this size in its header, and these deflated rows."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, bits, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def zeros(n_bytes: int) -> Iterator[bytes]:
    """Yield zeros."""
    yield from (bytes(MEGABYTE) for _ in range(n_bytes >> 20))
    yield bytes(n_bytes & (MEGABYTE - 1))


@cache
def png_bomb() -> bytes:
    """A PNG of 256 MB of pixels, every one of them there, in less than 2 MB."""
    press = zlib.compressobj(1)
    rows = b"".join(press.compress(part) for part in zeros(16_000 * 16_001)) + press.flush()
    return png_of(16_000, 16_000, rows)


@cache
def gzip_bomb() -> bytes:
    """64 MB of zeros behind a JPEG's first bytes, in 300 KB."""
    return gzip.compress(jpeg() + bytes(64 * MEGABYTE), 1)


@cache
def long_strip() -> bytes:
    """A whole PNG above the longest allowed side, of few pixels and an allowed aspect."""
    return png_of(20_100, 2_100, zlib.compress(bytes((20_100 // 8 + 2) * 2_100), 1), bits=1)


def prepare() -> None:
    """Make the bodies that take long to make, so that no host is slow by mistake."""
    for body in (png_bomb, gzip_bomb, long_strip, large_webp, jpeg, png):
        body()


def jpeg_saying(height_px: int, width_px: int) -> bytes:
    """Return a JPEG with another size in its header."""
    data = bytearray(jpeg())
    data[(at := data.index(b"\xff\xc0")) + 5 : at + 9] = struct.pack(">HH", height_px, width_px)
    return bytes(data)


@cache
def large_webp() -> bytes:
    """A WebP of 9 megapixels in a few dozen bytes: it takes 140 MB while it is decoded."""
    return encoded(Image.new("RGBA", (3000, 3000), (9, 9, 9, 90)), "WEBP", lossless=True, method=0)


def many_scans(n: int, space: str = "RGB") -> bytes:
    """Return a progressive JPEG whose last scan comes *n* times."""
    data = encoded(picture().convert(space), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + scan * n + data[-2:]


def flipped(data: bytes, at: int) -> bytes:
    """Return *data* with the bits of one byte turned over."""
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
