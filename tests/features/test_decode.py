"""The guarded decoder: every image as shown, every other byte string an `ImageError` of the closed list."""

import io
import struct
import threading
import warnings
import zlib
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from counterpoint.errors import ImageError
from counterpoint.features.decode import MAX_JPEG_SCANS, REASONS, Limits, decode, decode_image, header
from counterpoint.formats.magic import image_format
from hostile_images import encoded, picture

LIMITS = Limits()


photo = partial(picture, 60, 40)


def frames(kind: str) -> bytes:
    return encoded(photo(), kind, save_all=True, append_images=[photo().rotate(180)], duration=100)


FILES = {
    "jpeg": encoded(photo(), "JPEG", quality=95),
    "progressive jpeg": encoded(photo(), "JPEG", progressive=True, quality=95),
    "gray jpeg": encoded(photo().convert("L"), "JPEG"),
    "cmyk jpeg": encoded(photo().convert("CMYK"), "JPEG", quality=95),
    "png": encoded(photo(), "PNG"),
    "animated png": frames("PNG"),
    "gif": encoded(photo(), "GIF"),
    "animated gif": frames("GIF"),
    "webp": encoded(photo(), "WEBP"),
    "lossless webp": encoded(photo(), "WEBP", lossless=True),
    "animated webp": frames("WEBP"),
    "avif": encoded(photo(), "AVIF", quality=90),
}


def reason(data: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(ImageError) as caught:
        decode(data, limits=limits, mode="gray")
    assert "\n" not in str(caught.value)
    return caught.value.reason


def rgb(data: bytes) -> np.ndarray:
    return decode(data, limits=LIMITS, mode="rgb")


@pytest.mark.parametrize("name", FILES)
def test_every_format_shows_its_first_frame(name):
    expected = np.asarray(photo().convert("L").convert("RGB") if "gray" in name else photo()).astype(int)
    assert header(FILES[name]) == (name.split()[-1], 60, 40)
    assert rgb(FILES[name]).dtype == np.uint8
    assert np.abs(rgb(FILES[name]) - expected).mean() < 8  # a GIF has 256 colours
    gray = decode(FILES[name], limits=LIMITS, mode="gray")
    assert gray.shape == (40, 60, 1)
    assert np.abs(gray[:, :, 0] - np.asarray(photo().convert("L")).astype(int)).mean() < 6


@pytest.mark.parametrize("mode", ["gray", "rgb"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_exif_rotation_is_applied_as_pillow_does(kind, orientation, mode):
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a description", orientation
    data = encoded(photo(), kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {"lossless": True}))
    shown = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("L" if mode == "gray" else "RGB")
    found = decode_image(data, limits=LIMITS, mode=mode)
    assert (found.width_px, found.height_px) == shown.size == found.pixels.shape[1::-1]
    assert np.abs(found.pixels.squeeze() - np.asarray(shown).astype(int)).mean() < 2
    assert found.pixels.flags.c_contiguous


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "directory",
    [b"", b"\1\0", struct.pack("<HHHII", 1, 0x0112, 3, 1, 9), struct.pack("<HHHII", 1, 0x0112, 4, 1, 6), b"\xff" * 40],
)
def test_exif_that_makes_no_sense_is_no_rotation(order, directory):
    start = b"II*\0" if order == "<" else b"MM\0*"
    exif = b"Exif\0\0" + start + struct.pack(order + "I", 8) + directory
    assert rgb(encoded(photo(), "JPEG", exif=exif)).shape == (40, 60, 3)


def transparent(mode: str) -> bytes:
    if mode == "P":
        black = Image.new("P", (20, 20), 1)
        black.putpalette(bytes(768))
        return encoded(black, "PNG", transparency=1)
    if mode == "P with bytes":
        return encoded(photo().quantize(8), "PNG", transparency=bytes(8))
    if mode == "RGB":
        return encoded(Image.new("RGB", (20, 20), (1, 2, 3)), "PNG", transparency=(1, 2, 3))
    if mode in ("L", "1"):
        return encoded(Image.new(mode, (20, 20), 0), "PNG", transparency=0)
    return encoded(Image.new(mode, (20, 20), 0), "PNG")


@pytest.mark.parametrize("mode", ["P", "P with bytes", "RGB", "L", "1", "LA", "RGBA"])
def test_transparent_pixels_are_white(mode):
    assert (rgb(transparent(mode)) == 255).all()
    assert (decode(transparent(mode), limits=LIMITS, mode="gray") == 255).all()


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "GIF"])
def test_transparent_pixels_are_white_in_other_formats(kind):
    assert (rgb(encoded(Image.new("RGBA", (20, 20), (9, 8, 7, 0)), kind)) > 250).all()


def test_half_transparent_is_half_white():
    assert (rgb(encoded(Image.new("RGBA", (20, 20), (0, 0, 0, 127)), "PNG")) == 128).all()


def test_sixteen_bits_are_scaled_not_clipped():
    deep = np.linspace(0, 65535, 400).reshape(20, 20).astype(np.uint16)
    assert (decode(encoded(Image.fromarray(deep), "PNG"), limits=LIMITS, mode="gray")[:, :, 0] == deep >> 8).all()


def test_one_bit_is_black_or_white():
    bits = np.random.default_rng(0).integers(0, 2, (20, 20)).astype(bool)
    assert (rgb(encoded(Image.fromarray(bits), "PNG"))[:, :, 1] == bits * 255).all()


def test_a_large_jpeg_is_decoded_small_but_not_below_the_wanted_size():
    data = encoded(picture(800, 400), "JPEG")
    small = decode_image(data, limits=LIMITS, mode="gray", min_side_px=100)
    assert small.pixels.shape == (100, 200, 1)
    assert (small.width_px, small.height_px) == (800, 400)
    assert decode(data, limits=LIMITS, mode="gray", min_side_px=900).shape == (400, 800, 1)


@pytest.mark.parametrize("name", FILES)
def test_the_name_does_not_matter_the_first_bytes_do(name):
    assert image_format(FILES[name]) == name.split()[-1]


@pytest.mark.parametrize(
    "data",
    [encoded(photo(), kind) for kind in ("BMP", "TIFF", "ICO", "JPEG2000", "EPS", "PPM", "PDF")]
    + [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xef\xbb\xbf \n<?xml version='1.0'?><!-- x --><svg/>"]
    + [b"<!DOCTYPE svg PUBLIC ''><svg/>", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"\xff\x0a" + bytes(9)],
)
def test_unsupported_formats_are_distinguished_from_other_files(data):
    assert reason(data) == "unsupported_format"


PROLOGS = [b"<?xml", b"<!DOCTYPE svg", b"<!---->", b"<!--", b"-->", b"<?xml<!DOCTYPE svg<!---->", b"<!-- -->\n", b"<"]


@pytest.mark.parametrize("part", PROLOGS)
def test_a_prolog_without_an_end_is_judged_in_an_instant(part):
    # 200 bytes of these once took longer than anybody waits: the time doubled with each part.
    assert reason(part * 400) == "not_image"
    assert reason(b"<!---->" + part * 400 + b"<sv") == "not_image"


def test_an_svg_after_many_comments_is_one():
    assert reason(b"<!-- a -->\n" * 80 + b"<svg/>") == "unsupported_format"


@pytest.mark.parametrize(
    "data", [b"<!DOCTYPE html><html><body><svg/></body></html>", b"{}", b"\0" * 100, b"GIF", b"\xff\xd8", b"\x89PNG"]
)
def test_a_file_that_is_no_image_has_this_reason(data):
    assert reason(data) == "not_image"


def test_no_bytes_are_an_empty_body():
    assert reason(b"") == "empty_body"


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_saying(width_px: int, height_px: int) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(9999))) + chunk(b"IEND", b"")


def patched(name: str, at: int, body: bytes) -> bytes:
    return FILES[name][:at] + body + FILES[name][at + len(body) :]


BOMBS = {
    "png": png_saying(16_000, 16_000),
    "larger png": png_saying(40_000, 40_000),
    "largest png": png_saying(2**31 - 1, 2**31 - 1),
    "jpeg": patched("jpeg", FILES["jpeg"].index(b"\xff\xc0") + 5, b"\xff\xff\xff\xff"),
    "gif": patched("gif", 6, b"\xff\xff\xff\xff"),
    "gif frame": patched("gif", FILES["gif"].index(b"\x2c\0\0\0\0\x3c\0\x28\0") + 5, b"\x10\x27\x10\x27"),
    "webp": patched("lossless webp", 21, struct.pack("<I", 16382 | 16382 << 14)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_from_its_header(name):
    assert reason(BOMBS[name]) == "too_many_pixels"


def test_sizes_are_checked_against_the_limits():
    data = FILES["png"]
    assert reason(data, Limits(max_pixels=2399)) == "too_many_pixels"
    assert reason(data, Limits(min_side_px=41)) == "too_small"
    assert reason(data, Limits(max_side_px=59)) == "too_large"
    assert reason(data, Limits(max_aspect=1.49)) == "aspect"
    exact = Limits(max_pixels=2400, min_side_px=40, max_side_px=60, max_aspect=1.5)
    assert decode(data, limits=exact, mode="gray").shape == (40, 60, 1)


@pytest.mark.parametrize("name", FILES)
@given(share=st.floats(0, 1, exclude_max=True))
@settings(deadline=None, max_examples=25)
def test_a_cut_image_is_refused_or_whole_to_its_first_frame(name, share):
    cut = FILES[name][: int(share * len(FILES[name]))]
    found = reason_or_none(cut, "rgb")
    if found is None:
        assert not name.endswith("jpeg")
        assert (rgb(cut) == rgb(FILES[name])).all()
    else:
        assert found in {"truncated_image", "decode_error", "not_image", "unsupported_format", "empty_body"}


@pytest.mark.parametrize("name", [name for name in FILES if name != "avif"])
def test_half_an_image_is_truncated(name):
    whole = FILES[name] if "animated" not in name else FILES[name.removeprefix("animated ")]
    assert reason(whole[: len(whole) * 2 // 3]) == "truncated_image"


def test_a_jpeg_without_its_last_bytes_is_truncated():
    assert reason(FILES["jpeg"][:-2]) == "truncated_image"


@pytest.mark.parametrize("space", ["L", "RGB", "CMYK"])
def test_a_jpeg_of_thousands_of_scans_is_refused(space):
    data = encoded(photo().convert(space), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(ImageError, match=rf"decode_error: \d+ scans of 2400 pixels, at most {MAX_JPEG_SCANS}"):
        rgb(data[:-2] + scan * MAX_JPEG_SCANS + data[-2:])


def test_a_large_jpeg_may_have_fewer_scans(monkeypatch):
    data = FILES["progressive jpeg"]
    n_scans = data.count(b"\xff\xda")
    monkeypatch.setattr("counterpoint.features.decode.MAX_SCANNED_PIXELS", 2400 * n_scans)
    assert rgb(data).shape == (40, 60, 3)
    monkeypatch.setattr("counterpoint.features.decode.MAX_SCANNED_PIXELS", 2400 * n_scans - 1)
    assert reason(data) == "decode_error"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_strips_make_the_same_image_as_the_whole(monkeypatch, mode):
    data = encoded(photo().convert("RGBA").convert(mode), "PNG", **({"transparency": 3} if mode == "P" else {}))
    whole = rgb(data)
    monkeypatch.setattr("counterpoint.features.decode.STRIP_PIXELS", 7 * 60)
    assert (rgb(data) == whole).all()


def reason_or_none(data: bytes, mode: str) -> str | None:
    try:
        pixels = decode(data, limits=LIMITS, mode=mode)
    except ImageError as error:
        return error.reason
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    return None


@given(
    st.binary(max_size=300), st.sampled_from([b"", *(data[:size] for data in FILES.values() for size in (4, 12, 40))])
)
@settings(deadline=None, max_examples=300)
def test_random_bytes_raise_nothing_but_a_reason(data, start):
    assert reason_or_none(start + data, "gray") in {None, *REASONS}


@given(
    st.sampled_from(sorted(FILES)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    st.booleans(),
    st.sampled_from(["gray", "rgb"]),
)
@settings(deadline=None, max_examples=500)
def test_mutated_images_raise_nothing_but_a_reason_and_warn_of_nothing(name, changes, is_in_header, mode):
    data = bytearray(FILES[name])
    for share, value in changes:
        data[int(share * (min(200, len(data)) if is_in_header else len(data)))] = value
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert reason_or_none(bytes(data), mode) in {None, *REASONS}
    assert caught == []


def test_pillows_own_limit_and_the_filters_of_warnings_stay_as_they_are():
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    for data in [*FILES.values(), *BOMBS.values()]:
        reason_or_none(data, "rgb")
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


def test_many_threads_decode_the_same_and_leave_the_filters_alone():
    before = list(warnings.filters)
    expected = {name: rgb(data) for name, data in FILES.items()}
    wrong: list[str] = []

    def work() -> None:
        for name, data in list(FILES.items()) * 5:
            if not (rgb(data) == expected[name]).all():
                wrong.append(name)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert list(warnings.filters) == before
