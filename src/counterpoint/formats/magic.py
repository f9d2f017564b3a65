"""Whether bytes are an image, by their first bytes and never by a name.  Decodes nothing."""

import re

HEAD_BYTES = 1024
"""So many first bytes are enough to see what a file is."""
MAGIC = (
    ("jpeg", re.compile(rb"\xff\xd8\xff")),
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("gif", re.compile(rb"GIF8[79]a")),
    ("webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("avif", re.compile(rb"....ftyp.{0,64}?avi[fs]", re.DOTALL)),
)
"""The formats that are decoded, and what their files begin with."""
_OTHERS = re.compile(
    rb"II[*+]\0|MM\0[*+]|8BPS\0|BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0|\0\0[\1\2]\0[^\0]\0"
    rb"|....ftyp.{0,64}?(?:hei[cfmsx]|hev[cmsx]|mif1|msf1|jxl )|\0\0\0\x0c(?:jP  |JXL )\r\n\x87\n"
    rb"|\xff\x0a|\xff\x4f\xff\x51|P[1-6]\s+\d+\s+\d+\s|P7\nWIDTH ",
    re.DOTALL,
)
"""TIFF, PSD, BMP, icons, HEIC, JPEG 2000, JPEG XL, PNM: images that are not decoded here.

Strict enough that no caption is taken for one: "BMW at the kerb" is a text.
"""
_XML = (b"<svg", b"<?xml", b"<!doctype svg", b"<!--")


def is_image(data: bytes) -> bool:
    r"""Return whether *data* begin as an image does, of a format that is decoded here or of another.

    Examples
    --------
    >>> is_image(b"GIF89a..."), is_image(b"II*\0..."), is_image(b"BMW at the kerb"), is_image(b"")
    (True, True, False, False)
    """
    head = data[:HEAD_BYTES]
    return any(magic.match(head) for _, magic in MAGIC) or bool(_OTHERS.match(head)) or _is_svg(head)


def _is_svg(head: bytes) -> bool:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith(_XML) and b"<svg" in start and b"<html" not in start
