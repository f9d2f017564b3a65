"""Bytes that a stranger may send for an image: images changed here and there, web pages, XML, archives, repetitions."""

import bz2
import gzip
import io
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from hostile_images import encoded, flipped, jpeg_saying, many_scans, picture

Draw = Callable[[st.SearchStrategy], Any]


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112], exif[0x8769] = "a description", 6, {0x9003: "2023:01:01 00:00:00"}
    return exif.tobytes()


def _moving(kind: str, **options: object) -> bytes:
    first = picture(40, 30)
    return encoded(first, kind, save_all=True, append_images=[first.rotate(180), first.rotate(90)], **options)


def _text() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * 300, zip=True)
    info.add_itxt("Title", "ü" * 30, zip=True)
    return info


def _seeds() -> dict[str, bytes]:
    small = picture(40, 30)
    clear = small.convert("RGBA")
    clear.putalpha(90)
    deep = Image.fromarray(np.linspace(0, 65535, 1200).reshape(30, 40).astype(np.uint16))
    return {
        "jpeg": encoded(small, "JPEG"),
        "jpeg, 4:4:4, restarts": encoded(small, "JPEG", subsampling=0, restart_marker_blocks=2),
        "jpeg, progressive, exif": encoded(small, "JPEG", progressive=True, exif=_exif()),
        "jpeg, profile": encoded(small, "JPEG", icc_profile=bytes(500), comment=b"hello"),
        "jpeg, gray": encoded(small.convert("L"), "JPEG"),
        "jpeg, cmyk": encoded(small.convert("CMYK"), "JPEG"),
        "png": encoded(small, "PNG"),
        "png, alpha, exif": encoded(clear, "PNG", exif=_exif()),
        "png, palette, transparent": encoded(small.quantize(8), "PNG", transparency=bytes(8)),
        "png, 16 bits": encoded(deep, "PNG"),
        "png, 1 bit": encoded(small.convert("1"), "PNG"),
        "png, text": encoded(small, "PNG", pnginfo=_text(), icc_profile=bytes(500)),
        "png, moving": _moving("PNG", disposal=2, blend=1),
        "gif": encoded(small, "GIF", transparency=1),
        "gif, moving": _moving("GIF", disposal=2, loop=0),
        "webp": encoded(small, "WEBP"),
        "webp, lossless": encoded(small, "WEBP", lossless=True),
        "webp, alpha, exif": encoded(clear, "WEBP", exif=_exif()),
        "webp, moving": _moving("WEBP"),
        "avif": encoded(small, "AVIF"),
        "avif, alpha, exif": encoded(clear, "AVIF", exif=_exif()),
        "avif, moving": _moving("AVIF"),
        "jpeg, too large": jpeg_saying(65_500, 65_500),
        "jpeg, many scans": many_scans(3),
        "png, flipped": flipped(encoded(small, "PNG"), 60),
        **{kind: encoded(small, kind) for kind in ("BMP", "TIFF", "ICO", "JPEG2000", "PPM")},
        "svg": b"<?xml version='1.0'?><svg/>",
    }


SEEDS = _seeds()
_FIELDS = (
    (rb"IHDR", (4, 8, 12, 13, 16)), (rb"acTL|fcTL|fdAT|IDAT|PLTE|tRNS|iCCP|zTXt|iTXt|eXIf", (-4, 4, 8, 12, 16, 20, 28)),
    (rb"\xff[\xc0-\xc2]", (2, 4, 5, 7, 9, 10, 11, 12)), (rb"\xff[\xc4\xda\xdb\xdd\xe1\xe2\xee]", (1, 2, 4, 5, 6)),
    (rb"GIF8", (6, 8, 10)), (rb"\x2c|\x21\xf9", (1, 2, 3, 5, 7, 9)),
    (rb"RIFF|VP8X|VP8L|VP8 |ANMF|ANIM|ALPH|EXIF", (4, 8, 9, 11, 12, 14, 15, 16)),
    (rb"ftyp|meta|iinf|iloc|iprp|ipco|ispe|pixi|av1C|ipma|mdat|moov|stsz|stco", (-4, 4, 8, 12, 16, 20)),
    (rb"Exif\0\0|II\*\0|MM\0\*", (4, 6, 8, 10, 12, 14, 18)),
)  # fmt: skip
"""Places of sizes, lengths and flags: their distances from the match of a pattern."""
_EXTREMES = (0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def _flip(draw: Draw, data: bytearray) -> None:
    data[_place(draw, data)] ^= 1 << draw(st.integers(0, 7))


def _set(draw: Draw, data: bytearray) -> None:
    at = _place(draw, data)
    data[at : at + 1] = bytes([draw(st.integers(0, 255))])


def _set_field(draw: Draw, data: bytearray) -> None:
    pattern, distances = draw(st.sampled_from(_FIELDS))
    found = [match.start() for match in re.finditer(pattern, data)]
    if found:
        at = max(0, draw(st.sampled_from(found)) + draw(st.sampled_from(distances)))
        order, size = draw(st.sampled_from(["<B", ">H", "<H", ">I", "<I"])), draw(st.sampled_from(_EXTREMES))
        value = struct.pack(order, size & (1 << 8 * struct.calcsize(order)) - 1)
        data[at : at + len(value)] = value


def _cut(draw: Draw, data: bytearray) -> None:
    del data[_place(draw, data) :]


def _drop(draw: Draw, data: bytearray) -> None:
    at = _place(draw, data)
    del data[at : at + draw(st.integers(1, 64))]


def _repeat(draw: Draw, data: bytearray) -> None:
    at = _place(draw, data)
    data[at:at] = data[at : at + draw(st.integers(1, 200))] * draw(st.integers(1, 8))


def _insert(draw: Draw, data: bytearray) -> None:
    at = _place(draw, data)
    data[at:at] = draw(st.binary(min_size=1, max_size=16))


def _splice(draw: Draw, data: bytearray) -> None:
    other = SEEDS[draw(st.sampled_from(sorted(SEEDS)))]
    start, at = draw(st.integers(0, len(other))), _place(draw, data)
    data[at:] = other[start:]


def _place(draw: Draw, data: bytearray) -> int:
    """Draw a place: in a likely header, or anywhere, but rarely in the magic bytes, which decide at once."""
    start, end = draw(st.sampled_from([(0, 12), *[(12, 64), (12, 300), (12, 10**6)] * 5]))
    return draw(st.integers(min(start, len(data) - 1), max(0, min(end, len(data)) - 1)))


_CHANGES = (_flip, _set, _set_field, _set_field, _set_field, _cut, _drop, _repeat, _insert, _splice)


@st.composite
def mutated_images(draw: Draw) -> bytes:
    """Change a small image of some format in a few places.  Half of the time, repair the checksums of a PNG."""
    data = bytearray(SEEDS[draw(st.sampled_from(sorted(SEEDS)))])
    for _ in range(draw(st.integers(1, 3))):
        if data:
            draw(st.sampled_from(_CHANGES))(draw, data)
    return mended_png(bytes(data)) if draw(st.booleans()) else bytes(data)


def mended_png(data: bytes) -> bytes:
    """Return a PNG with right checksums, so that its changes pass them.  Other data stay as they are."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    mended, at = bytearray(data), 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4])
        if end + 4 > len(data):
            break
        mended[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
        at = end + 4
    return bytes(mended)


# --- what is no image, or hardly one ---------------------------------------------------------------------------------


def _zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.jpg", SEEDS["jpeg"])
    return file.getvalue()


def _tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("a.jpg")
        member.size = len(SEEDS["jpeg"])
        archive.addfile(member, io.BytesIO(SEEDS["jpeg"]))
    return file.getvalue()


FRAGMENTS = (
    b"<svg", b"<svg/>", b"<?xml", b"<?xml version='1.0'?>", b"<!DOCTYPE svg", b"<!DOCTYPE html>", b"<!--", b"-->",
    b"<!---->", b"<![CDATA[", b"]]>", b"<!ENTITY a '&a;&a;'>", b"&a;", b"<html>", b"<svg:svg>", b"</", b"<", b">",
    b'"', b"'", b"\n", b" ", b"\t", b"\r", b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"{", b"[", b"}", b"]", b",", b":",
    b"null", b"GIF89a", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\0\0\0WEBP", b"\0\0\0\x18ftypavif",
    b"\0\0\0\x18ftypmif1avi", b"ftyp", b"BM", b"II*\0", b"P6 ", b"%PDF", b"PK\x03\x04", b"ustar\0", b"\xff\xda",
    b"\xff\xe1\xff\xff", b"\xff", b"a", b"1", b"\x80", b"Exif\0\0",
)  # fmt: skip
"""Beginnings, ends and separators of text, XML, JSON, archives and images."""
ARCHIVES = (
    gzip.compress(b"<svg/>"), bz2.compress(b"<svg/>"), lzma.compress(b"<svg/>"), zlib.compress(bytes(9999)),
    _zipped(), _tarred(),
)  # fmt: skip
_fragment = st.one_of(st.sampled_from(FRAGMENTS), st.binary(min_size=1, max_size=4))
_fragments = st.lists(_fragment, max_size=40).map(b"".join)
_repeated = st.builds(
    lambda head, part, n, tail: head + part * (n // max(1, len(part))) + tail,
    st.lists(_fragment, max_size=2).map(b"".join), st.lists(_fragment, min_size=1, max_size=4).map(b"".join),
    st.sampled_from([30, 200, 1_000, 1_100, 5_000, 100_000]), st.lists(_fragment, max_size=2).map(b"".join),
)  # fmt: skip


@st.composite
def _damaged_archives(draw: Draw) -> bytes:
    data = bytearray(draw(st.sampled_from(ARCHIVES)))
    draw(st.sampled_from(_CHANGES))(draw, data)
    return bytes(data)


ARBITRARY = st.one_of(
    _fragments, _repeated, _damaged_archives(), st.binary(max_size=200), st.text(max_size=99).map(str.encode)
)
