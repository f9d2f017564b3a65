"""The format of an image by its first bytes, never by its name.  Decodes nothing."""

import re

from counterpoint.errors import ImageError

HEAD_BYTES = 1024
"""The number of first bytes that show the format of a file."""
MAGIC = (
    ("jpeg", re.compile(rb"\xff\xd8\xff")),
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("gif", re.compile(rb"GIF8[79]a")),
    ("webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("avif", re.compile(rb"....ftyp.{0,64}?avi[fs]", re.DOTALL)),
)
"""The formats that are decoded, and the first bytes of their files."""
_OTHERS = re.compile(
    rb"II[*+]\0|MM\0[*+]|8BPS\0|BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0|\0\0[\1\2]\0[^\0]\0"
    rb"|....ftyp.{0,64}?(?:hei[cfmsx]|hev[cmsx]|mif1|msf1|jxl )|\0\0\0\x0c(?:jP  |JXL )\r\n\x87\n"
    rb"|\xff\x0a|\xff\x4f\xff\x51|P[1-6]\s+\d+\s+\d+\s|P7\nWIDTH ",
    re.DOTALL,
)
"""TIFF, PSD, BMP, icons, HEIC, JPEG 2000, JPEG XL, PNM: images that are not decoded here.

The pattern is strict, so that no caption matches: "BMW at the kerb" is a text.
"""
_UNSUPPORTED = re.compile(
    rb"BM|II\*\0|MM\0\*|\0\0[\1\2]\0|8BPS|%!PS|%PDF|\xc5\xd0\xd3\xc6|....ftyp|\0\0\0\x0cj[PX]|\0\0\0\x0cJXL|\xff\x0a"
    rb"|\xff\x4f\xff\x51|P[1-6]\s",
    re.DOTALL,
)
"""These formats and a few more, less strict: for bytes that should be an image."""
_XML = (b"<svg", b"<?xml", b"<!doctype svg", b"<!--")


def is_image(data: bytes) -> bool:
    r"""Return whether *data* begin like an image, of a format that is decoded here or of another.

    Examples
    --------
    >>> is_image(b"GIF89a..."), is_image(b"II*\0..."), is_image(b"BMW at the kerb"), is_image(b"")
    (True, True, False, False)
    """
    head = data[:HEAD_BYTES]
    return any(magic.match(head) for _, magic in MAGIC) or bool(_OTHERS.match(head)) or _holds_svg(head)


def _holds_svg(head: bytes) -> bool:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith(_XML) and b"<svg" in start and b"<html" not in start


def image_format(data: bytes) -> str:
    """Return the format of the first bytes: jpeg, png, gif, webp or avif.

    Raises
    ------
    ImageError
        ``empty_body``, ``unsupported_format`` (an image that is not decoded here), or ``not_image``.

    Examples
    --------
    >>> image_format(b"GIF89a...")
    'gif'
    >>> image_format(b"<html>")
    Traceback (most recent call last):
    counterpoint.errors.ImageError: not_image
    """
    if not data:
        raise ImageError("empty_body")
    head = data[:HEAD_BYTES]
    for kind, magic in MAGIC:
        if magic.match(head):
            return kind
    raise ImageError("unsupported_format" if _UNSUPPORTED.match(head) or _begins_svg(head) else "not_image")


def _begins_svg(head: bytes) -> bool:
    """Return whether an SVG begins here, after comments or a prolog.  Each byte is read once, however they nest."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    place = 0
    while text.startswith(b"<!--", place) and (end := text.find(b"-->", place + 4)) >= 0:
        place = end + 3
        while text[place : place + 1].isspace():
            place += 1
    if text.startswith((b"<?xml", b"<!DOCTYPE svg"), place):
        return b"<svg" in text[place:]
    return text.startswith(b"<svg", place)
