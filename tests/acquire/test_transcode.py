"""Whatever a server sends ends in a status; what is kept of an image is small, as shown, and known again."""

import io
from hashlib import sha256

import numpy as np
import pytest
import simplejpeg
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from counterpoint.acquire import transcode as transcoding
from counterpoint.acquire.statuses import STATUSES
from counterpoint.acquire.transcode import TRANSCODERS, SlotOutcome, transcode
from counterpoint.config.acquire import AcquireConfig
from counterpoint.features.decode import Limits, decode, decode_image
from counterpoint.features.hashes import phash

LIMITS = Limits(min_side_px=16, max_side_px=5000, max_aspect=10.0)


def scene(width_px: int = 640, height_px: int = 400, seed: int = 0) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width_px, height_px), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(scene(), exif=exif)


GOOD = {
    "jpeg": encoded(scene()),
    "progressive": encoded(scene(), progressive=True),
    "gray": encoded(scene().convert("L")),
    "cmyk": encoded(scene().convert("CMYK")),
    "png": encoded(scene(), "PNG"),
    "palette": encoded(scene().convert("P"), "PNG"),
    "transparent": encoded(scene().convert("RGBA"), "PNG"),
    "webp": encoded(scene(), "WEBP"),
    "gif": encoded(scene(), "GIF"),
    "avif": encoded(scene(), "AVIF"),
    "rotated": rotated(),
    "small": encoded(scene(40, 30)),
    "thin": encoded(scene(1000, 100)),
}
BAD = {
    b"": "empty_body",
    b"<html>gone</html>": "not_image",
    b"<svg>": "unsupported_format",
    GOOD["jpeg"][:-400]: "truncated_image",
    encoded(scene(15, 90)): "too_small",
    encoded(scene(16, 161)): "aspect",
    encoded(Image.new("L", (5001, 600))): "too_many_pixels",
    encoded(Image.new("1", (9000, 9000)), "PNG"): "too_many_pixels",
}


def exact(pixels: np.ndarray, width_px: int, height_px: int) -> np.ndarray:
    """Return the average over the exact area of each pixel of the target."""
    height, width, _ = pixels.shape
    return np.einsum(
        "yh,hwc,xw->yxc", cover(height, height_px), pixels.astype(float), cover(width, width_px), optimize=True
    )


def cover(n: int, n_target: int) -> np.ndarray:
    edges = np.linspace(0, n, n_target + 1)
    low, high = np.maximum(edges[:-1, None], np.arange(n)), np.minimum(edges[1:, None], np.arange(1, n + 1))
    return np.maximum(high - low, 0) * n_target / n


@pytest.mark.parametrize("kind", TRANSCODERS)
@pytest.mark.parametrize("name", GOOD)
def test_of_every_image_its_size_as_shown_its_format_and_both_hashes_are_known(name, kind):
    body = GOOD[name]
    kept = transcode(body, limits=LIMITS, kept=kind)
    picture = decode_image(body, limits=LIMITS, mode="gray")
    shown = (picture.width_px, picture.height_px, picture.format)
    assert (kept.width_px, kept.height_px, kept.format) == shown
    assert (kept.status, kept.sha256, kept.n_bytes) == ("ok", sha256(body).hexdigest(), len(body))
    assert (kept.phash ^ phash(picture.pixels)).bit_count() <= 4


@pytest.mark.parametrize("name", GOOD)
def test_a_jpeg_of_256_is_the_image_as_shown_and_never_larger(name):
    kept = transcode(GOOD[name], limits=LIMITS, kept="jpeg-256")
    whole = decode(GOOD[name], limits=LIMITS, mode="rgb")
    height_px, width_px, _ = whole.shape
    small = simplejpeg.decode_jpeg(kept.image)
    scale = min(1, 256 / max(height_px, width_px))
    assert small.shape == (round(height_px * scale), round(width_px * scale), 3)
    assert (
        np.abs(small - exact(whole, small.shape[1], small.shape[0])).mean() < 8
    )  # colour is kept at half the resolution


@pytest.mark.parametrize("name", GOOD)
def test_gray_64_is_4096_pixels_near_the_average_over_their_area(name):
    kept = transcode(GOOD[name], limits=LIMITS, kept="gray-64")
    assert len(kept.image) == 4096
    pixels = np.frombuffer(kept.image, dtype=np.uint8).reshape(64, 64, 1)
    whole = decode(GOOD[name], limits=LIMITS, mode="gray")
    if min(whole.shape[:2]) >= 64:
        assert np.abs(pixels - exact(whole, 64, 64)).mean() < 3


def test_noise_which_aliases_is_averaged_and_not_picked():
    noise = np.random.default_rng(0).integers(0, 256, (600, 800), dtype=np.uint8)
    body = simplejpeg.encode_jpeg(np.ascontiguousarray(noise[:, :, None]), colorspace="GRAY", quality=95)
    pixels = np.frombuffer(transcode(body, limits=LIMITS, kept="gray-64").image, dtype=np.uint8)
    assert pixels.std() < 15  # of picked pixels 74, of an average over 117 pixels 7


@pytest.mark.parametrize("name", GOOD)
def test_the_original_is_kept_to_the_byte(name):
    assert transcode(GOOD[name], limits=LIMITS, kept="original").image == GOOD[name]


@pytest.mark.parametrize("kind", TRANSCODERS)
@pytest.mark.parametrize(("body", "status"), BAD.items(), ids=BAD.values())
def test_what_is_not_kept_has_a_status_its_size_and_its_sha256(body, status, kind):
    kept = transcode(body, limits=LIMITS, kept=kind)
    assert kept == SlotOutcome(status, sha256=sha256(body).hexdigest(), n_bytes=len(body))


@pytest.mark.parametrize("kind", TRANSCODERS)
@settings(max_examples=80, deadline=None)
@given(body=st.one_of(st.binary(max_size=400), st.sampled_from(list(GOOD.values()))), data=st.data())
def test_no_bytes_raise_and_every_status_is_of_the_list(kind, body, data):
    start = data.draw(st.integers(0, len(body)))
    harmed = body[:start] + data.draw(st.binary(max_size=20)) + body[start + data.draw(st.integers(0, 50)) :]
    kept = transcode(harmed, limits=LIMITS, kept=kind)
    assert kept.status in STATUSES
    assert (kept.image is not None) == (kept.status == "ok")


@example("AB" * 32)
@given(expected=st.text(max_size=70))
def test_another_image_than_the_expected_is_not_kept(expected):
    kept = transcode(GOOD["small"], limits=LIMITS, kept="original", sha256_expected=expected)
    assert (kept.status, kept.image) == ("hash_mismatch", None)


def test_the_expected_image_is_kept_however_its_hash_is_written():
    digest = sha256(GOOD["small"]).hexdigest()
    for expected in (digest, digest.upper(), f" {digest}\n"):
        assert transcode(GOOD["small"], limits=LIMITS, kept="original", sha256_expected=expected).status == "ok"


@pytest.mark.parametrize("where", ["decode_jpeg", "encode_jpeg"])
def test_no_memory_is_internal_and_may_be_tried_again(where, monkeypatch):
    def refuse(*_, **__):
        raise MemoryError

    monkeypatch.setattr(simplejpeg, where, refuse)
    assert transcode(GOOD["jpeg"], limits=LIMITS, kept="jpeg-256").status == "internal"


def test_what_was_kept_is_the_same_each_time():
    for kind in TRANSCODERS:
        for body in GOOD.values():
            assert transcode(body, limits=LIMITS, kept=kind) == transcode(body, limits=LIMITS, kept=kind)


def test_every_value_of_keep_has_its_keeper():
    assert set(TRANSCODERS) == set(AcquireConfig.model_fields["keep"].annotation.__args__)


def test_a_blank_image_has_no_perceptual_hash():
    assert transcode(encoded(Image.new("RGB", (90, 90), "red")), limits=LIMITS, kept="gray-64").phash is None


def test_a_large_jpeg_is_not_decoded_whole(monkeypatch):
    sizes = []
    decoded = transcoding.decode_image

    def spy(*args, **choices):
        picture = decoded(*args, **choices)
        sizes.append(picture.pixels.shape[:2])
        return picture

    monkeypatch.setattr(transcoding, "decode_image", spy)
    for kind in TRANSCODERS:
        transcode(encoded(scene(2560, 1600)), limits=LIMITS, kept=kind)
    assert sizes == [(200, 320)] * 3
