"""The facts of an image are those of its file and of its pixels, in every format, and leave its hashes as they were."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter, ImageOps

from counterpoint.features import hashes
from counterpoint.features.decode import Limits, decode_image
from counterpoint.features.hashes import INSPECTED, inspect_images
from counterpoint.features.image_facts import COLOUR_SIDE_PX, IMAGE_FACTS, image_facts
from counterpoint.features.jpeg_segments import jpeg_quality
from counterpoint.formats.images import write_images
from hostile_images import encoded


def scene(width=240, height=160):
    rng = np.random.default_rng(3)
    small = rng.integers(40, 200, (8, 12, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def facts(image, kind="PNG", **options):
    data = encoded(image, kind, **options)
    decoded = decode_image(data, limits=Limits(), mode="gray", min_side_px=64, colour_side_px=COLOUR_SIDE_PX)
    return dict(zip(IMAGE_FACTS, image_facts(data, decoded), strict=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_every_format_has_all_facts(kind):
    found = facts(scene(), kind)
    assert found["image_format"] == kind.lower()
    assert (found["image_quality"] is not None) == (kind == "JPEG")
    assert all(value is not None for name, value in found.items() if name != "image_quality")
    plain = facts(scene())
    for name in ("image_brightness", "image_contrast", "image_red", "image_blue", "image_border_green"):
        assert found[name] == pytest.approx(plain[name], abs=0.03)


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "I;16"])
def test_every_mode_of_pixels_has_facts(mode):
    image = Image.fromarray(np.full((40, 50), 9_000, np.uint16)) if mode == "I;16" else scene().convert(mode)
    assert 0 <= facts(image)["image_brightness"] <= 1


@given(quality=st.integers(30, 100))
def test_the_quality_of_a_jpeg_is_the_one_it_was_stored_with(quality):
    assert jpeg_quality(encoded(scene(32, 32), "JPEG", quality=quality)) == pytest.approx(quality, abs=1)


@given(data=st.binary(max_size=200))
def test_damaged_heads_have_no_quality_or_one_in_its_range(data):
    quality = jpeg_quality(b"\xff\xd8\xff\xdb" + data)
    assert quality is None or 1 <= quality <= 100


def test_facts_follow_the_appearance():
    plain = facts(scene())
    dark = facts(scene().point(lambda value: value // 2))
    assert dark["image_brightness"] == pytest.approx(plain["image_brightness"] / 2, abs=0.02)
    assert dark["image_contrast"] < plain["image_contrast"]
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 80), dtype=np.uint8))
    assert facts(noise.filter(ImageFilter.GaussianBlur(2)))["image_sharpness"] < facts(noise)["image_sharpness"] / 2
    red = facts(Image.new("RGB", (50, 50), (200, 20, 20)))
    assert red["image_red"] > red["image_blue"]
    assert red["image_saturation"] == pytest.approx(180 / 255, abs=0.01)
    assert (red["image_contrast"], red["image_sharpness"]) == (0, 0)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_plain_border_has_no_spread_and_its_colour(kind):
    framed = facts(ImageOps.expand(scene(), 20, (0, 0, 255)), kind)
    assert framed["image_border_spread"] < 0.01 < facts(scene(), kind)["image_border_spread"]
    assert (framed["image_border_red"], framed["image_border_blue"]) == pytest.approx((0, 1), abs=0.02)


def test_a_turned_photo_has_the_border_of_the_photo_as_shown():
    turned = Image.Exif()
    turned[0x0112] = 6
    found = facts(scene(), "JPEG", exif=turned.tobytes())
    assert found["image_brightness"] == pytest.approx(facts(scene(), "JPEG")["image_brightness"], abs=0.01)


def test_large_images_are_measured_strip_by_strip(monkeypatch):
    whole = facts(scene(400, 300))
    monkeypatch.setattr("counterpoint.features.decode.STRIP_PIXELS", 4_000)
    by_strip = facts(scene(400, 300))
    for name in ("image_format", "image_quality"):
        assert by_strip.pop(name) == whole.pop(name)
    assert by_strip == pytest.approx(whole, rel=0.05)


def test_facts_of_rows_without_an_image_are_null(tmp_path):
    refs = write_images(tmp_path / "x.parquet", [encoded(scene()), b"<html>"])
    frame = pl.DataFrame({"image": [*refs, None]}, schema={"image": pl.String})
    inspected = inspect_images(frame, Limits(), workers=1)
    assert set(IMAGE_FACTS) < set(INSPECTED)
    assert inspected["image_format"].to_list() == ["png", None, None]
    assert inspected["image_brightness"].null_count() == 2


@pytest.mark.parametrize("most", [20, 25, 50])
def test_of_many_images_a_sample_is_measured(tmp_path, monkeypatch, most):
    monkeypatch.setattr(hashes, "MEASURED", most)
    refs = write_images(tmp_path / "x.parquet", [encoded(scene(16 + i, 20)) for i in range(100)])
    inspected = inspect_images(pl.DataFrame({"image": refs}), Limits(), workers=1)
    measured = inspected["image_format"].is_not_null().to_numpy()
    assert most / 2 <= measured.sum() <= most * 1.5
    assert inspected["phash"].null_count() == 0
    assert 3 <= measured[::2].sum() <= measured.sum() - 3, "rows that take turns are measured alike"


def test_the_gray_pixels_are_the_same_with_colours_and_without():
    for kind in ("PNG", "JPEG"):
        data = encoded(scene(), kind)
        alone = decode_image(data, limits=Limits(), mode="gray", min_side_px=64)
        both = decode_image(data, limits=Limits(), mode="gray", min_side_px=64, colour_side_px=32)
        assert np.array_equal(alone.pixels, both.pixels)
        assert alone.colours is None
        assert both.colours.shape[2] == 3
        assert min(both.colours.shape[:2]) >= 32
