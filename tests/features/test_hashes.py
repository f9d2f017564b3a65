"""Inspection: each image read once, a status for each row, a hash that near-duplicates share."""

import hashlib
import io
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from scipy.fft import dct, dctn

from counterpoint.features import chunks, hashes
from counterpoint.features.decode import Limits
from counterpoint.features.hashes import INSPECTED, SIDE_PX, inspect_images, phash, phashes
from counterpoint.formats.images import ImageReader, write_images
from hostile_images import encoded

FLICKR8K = Path(os.environ.get("COUNTERPOINT_DATA", Path(__file__).parents[3] / "shared" / "data")) / "flickr8k"


def scene(seed: int = 0, width_px: int = 240, height_px: int = 160) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 10), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width_px, height_px), Image.Resampling.BICUBIC)


def bits_apart(one: Image.Image, other: Image.Image) -> int:
    return (phash(np.asarray(one)) ^ phash(np.asarray(other))).bit_count()


@pytest.mark.parametrize("seed", range(5))
def test_a_changed_copy_is_within_four_bits_and_another_scene_far(seed):
    original = scene(seed)
    again = Image.open(io.BytesIO(encoded(original, "JPEG", quality=30)))
    for copy in (
        again,
        original.resize((120, 80)),
        original.filter(ImageFilter.BLUR),
        original.point(lambda v: v * 0.9),
    ):
        assert bits_apart(original, copy) <= 4
    assert bits_apart(original, scene(seed + 100)) > 12
    assert bits_apart(original, original.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) > 12


def test_the_hash_is_the_published_one_written_out():
    small = np.asarray(scene().resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX)).astype(float)
    low = dct(dct(small, axis=0, norm="ortho"), axis=1, norm="ortho")[:8, :8].ravel()
    above = [False, *(low[1:] > np.median(low[1:]))]
    assert phash(np.asarray(scene())) == int("".join("01"[int(bit)] for bit in above), 2)


def test_a_transform_of_eight_rows_gives_the_bits_of_a_whole_one():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (300, SIDE_PX, SIDE_PX), dtype=np.uint8)
    smooth = np.stack([np.asarray(scene(seed, SIDE_PX, SIDE_PX)) for seed in range(300)])
    thumbnails = np.concatenate([noise, smooth])
    low = dctn(thumbnails.astype(np.float32), axes=(1, 2), norm="ortho")[:, :8, :8].reshape(-1, 64)
    above = low > np.median(low[:, 1:], axis=1)[:, None]
    above[:, 0] = False
    assert phashes(thumbnails) == np.packbits(above, axis=1).view(">u8")[:, 0].tolist()


def test_rounding_errors_of_a_symmetric_image_are_no_bits():
    across = np.abs(np.arange(SIDE_PX) - 15.5)
    disc = ((np.add.outer(across**2, across**2) < 100) * 255).astype(np.uint8)
    bits = np.unpackbits(np.array(phashes(disc[None]), dtype=">u8").view(np.uint8)).reshape(8, 8)
    assert not bits[1::2].any()
    assert not bits[:, 1::2].any()


@given(st.integers(0, 255), st.integers(0, 1))
@settings(deadline=None, max_examples=30)
def test_a_blank_image_has_no_hash(level, noise):
    blank = np.full((64, 64), level) + np.random.default_rng(level).integers(0, noise + 1, (64, 64))
    assert phash(np.clip(blank, 0, 255).astype(np.uint8)) is None


def test_brightness_alone_changes_no_bit():
    assert bits_apart(scene().point(lambda v: v // 2), scene().point(lambda v: v // 2 + 60)) <= 1


def test_many_hashes_at_once_are_those_of_one_at_a_time():
    stack = np.stack([np.asarray(scene(seed, SIDE_PX, SIDE_PX)) for seed in range(9)])
    assert phashes(stack) == [phash(thumbnail) for thumbnail in stack]


def records(refs: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {"id": [str(row) for row in range(len(refs))], "image": refs}, schema_overrides={"image": pl.String}
    )


@pytest.fixture
def shard(tmp_path: Path) -> list[str]:
    rotated = Image.Exif()
    rotated[0x0112] = 6
    images = {
        "good": encoded(scene()),
        "rotated": encoded(scene(), "JPEG", exif=rotated),
        "blank": encoded(Image.new("RGB", (40, 30), "white")),
        "cut": encoded(scene(), "JPEG")[:-50],
        "html": b"<html>",
        "empty": b"",
        "small": encoded(scene(0, 10, 4)),
    }
    return write_images(tmp_path / "x.parquet", images.values())


def test_each_row_gets_its_status_size_and_hashes(shard):
    inspected = inspect_images(records([*shard, None, "/nowhere.png"]), Limits(), workers=1)
    assert inspected.select(list(INSPECTED)).schema == pl.Schema(INSPECTED)
    assert inspected["image_status"].to_list() == [
        "ok", "ok", "ok", "truncated_image", "not_image", "empty_body", "too_small", "missing", "missing",
    ]  # fmt: skip
    assert inspected["width_px"].to_list() == [240, 160, 40, *[None] * 6]
    assert inspected["height_px"].to_list() == [160, 240, 30, *[None] * 6]
    assert [value is None for value in inspected["phash"]] == [False, False, *[True] * 7]
    with ImageReader() as reader:
        digests = [hashlib.sha256(reader.read(ref)).hexdigest() for ref in shard]
    assert inspected["sha256"].to_list() == [*digests, None, None]


def test_rows_keep_their_order_and_other_columns_and_measured_sizes_win(shard):
    refs = [shard[2], None, shard[0], shard[2]]
    frame = records(refs).with_columns(width_px=pl.lit(7), label=pl.Series(list("abcd")))
    inspected = inspect_images(frame, Limits(), workers=1)
    assert inspected["image"].to_list() == refs
    assert inspected["label"].to_list() == list("abcd")
    assert inspected["width_px"].to_list() == [40, None, 240, 40]


def test_an_image_that_several_rows_share_is_read_once(shard, monkeypatch):
    read: list[str] = []
    once = hashes.over_chunks
    monkeypatch.setattr(hashes, "over_chunks", lambda refs, *args, **how: read.extend(refs) or once(refs, *args, **how))
    inspect_images(records([shard[0], shard[1], shard[0], shard[0]]), Limits(), workers=1)
    assert read == [shard[0], shard[1]]


def test_no_rows_give_no_rows_with_the_columns():
    inspected = inspect_images(records([]), Limits(), workers=2)
    assert inspected.is_empty()
    assert set(INSPECTED) < set(inspected.columns)


def test_several_processes_find_the_same_as_one(shard, monkeypatch):
    refs = [*shard, None, *shard[::-1]]
    expected = inspect_images(records(refs), Limits(), workers=1)
    monkeypatch.setattr(chunks, "MANY", 1)
    monkeypatch.setattr(chunks, "CHUNK", 2)
    assert inspect_images(records(refs), Limits(), workers=2).equals(expected)


def test_work_on_chunks_is_done_elsewhere_and_put_in_order(monkeypatch):
    monkeypatch.setattr(chunks, "MANY", 3)
    monkeypatch.setattr(chunks, "CHUNK", 2)
    few = chunks.over_chunks(["a", "b"], process_and_place, workers=2)
    assert [place for _, place in few] == [0, 1]
    many = chunks.over_chunks(list("abcde"), process_and_place, workers=2)
    assert [place for _, place in many] == [0, 1, 2, 3, 4]
    assert os.getpid() not in {process for process, _ in few + many}


def process_and_place(start: int, refs: Iterable[str | None], reader: ImageReader) -> list[tuple[int, int]]:
    return [(os.getpid(), start + offset) for offset, _ in enumerate(refs)]


@pytest.mark.skipif(not FLICKR8K.exists(), reason="Flickr8k is not here")
def test_photos_of_flickr_have_hashes_of_their_own():
    from counterpoint.formats.tars import read_tar  # noqa: PLC0415 - used with the data only

    refs = [sample.images["jpg"] for sample in read_tar(FLICKR8K / "00000.tar")][:200]
    inspected = inspect_images(records(refs), Limits(), workers=1)
    assert set(inspected["image_status"]) == {"ok"}
    assert inspected["phash"].n_unique() == 200
