"""Pixels belong to the requested image and never to a neighbour, from a store that is whole or absent."""

import io
import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from counterpoint.errors import ImageError, RunFolderError
from counterpoint.features import chunks, pixels, shaped_images
from counterpoint.features.bilinear import bilinear, bilinear_square, gray_square
from counterpoint.features.pixels import build_pixels, load_pixels
from counterpoint.features.resize import square
from counterpoint.formats.images import ImageReader, write_images

SMALL = {"side_px": 8, "mode": "gray", "aspect": "keep"}


def png(level: int, width_px: int = 16, height_px: int = 16) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width_px, height_px), (level, level, level)).save(file, "PNG")
    return file.getvalue()


def shard(folder: Path, levels: list[int | None], name: str = "x") -> list[str]:
    return write_images(folder / f"{name}.parquet", [b"" if level is None else png(level) for level in levels])


def levels(loaded: pixels.Pixels) -> list[int]:
    """Return the level of each image, which must be one colour."""
    shown = loaded[np.arange(len(loaded))].reshape(len(loaded), -1)
    assert (shown == shown[:, :1]).all()
    return [int(level) for level in shown[:, 0]]


@pytest.fixture
def here(monkeypatch) -> None:
    """Decode in this process, so that replaced functions are used."""

    def over_chunks(refs, work, **_):
        with ImageReader() as reader:
            return work(0, refs, reader)

    monkeypatch.setattr(pixels, "over_chunks", over_chunks)


@pytest.fixture
def opened(monkeypatch, here) -> list[str]:
    """Return the references that are decoded from now on."""
    decoded: list[str] = []
    image = pixels.shaped_image
    monkeypatch.setattr(
        pixels, "shaped_image", lambda ref, reader, shape: decoded.append(ref) or image(ref, reader, shape)
    )
    return decoded


@given(data=st.data())
@settings(deadline=None, max_examples=25)
def test_every_row_has_its_own_image_with_a_store_and_without(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("pixels")
    made = data.draw(st.lists(st.none() | st.integers(1, 255), min_size=1, max_size=8))
    refs = [*shard(folder, made), None, "/nowhere.png"]
    known = dict(zip(refs, [*made, None, None], strict=True))
    for _ in range(data.draw(st.integers(0, 3))):  # a store that grows
        build_pixels(data.draw(st.lists(st.sampled_from(refs))), **SMALL, cache=folder, workers=1)
    wanted = data.draw(st.lists(st.sampled_from(refs), min_size=1, max_size=12))
    for cache in (None, folder):
        loaded = load_pixels(wanted, **SMALL, cache=cache)
        assert levels(loaded) == [known[ref] or 0 for ref in wanted]
        assert loaded.is_missing.tolist() == [known[ref] is None for ref in wanted]


def test_rows_are_indexed_like_an_array(tmp_path):
    loaded = load_pixels(shard(tmp_path, [10, 20, 30, 40]), side_px=8, mode="rgb")
    shown = loaded[np.array([2, 0, 2])]
    assert shown.shape == (3, 3, 8, 8)
    assert shown.dtype == np.uint8
    assert shown.flags.c_contiguous
    assert shown[:, 0, 0, 0].tolist() == [30, 10, 30]
    assert loaded[1:3][:, 0, 0, 0].tolist() == [20, 30]
    assert loaded[np.array([True, False, False, True])].shape == (2, 3, 8, 8)
    assert loaded[np.array([], dtype=int)].shape == (0, 3, 8, 8)
    with pytest.raises(IndexError):
        loaded[[4]]


def test_returned_pixels_may_be_changed_and_the_store_stays(tmp_path):
    refs = shard(tmp_path, [10])
    build_pixels(refs, **SMALL, cache=tmp_path, workers=1)
    load_pixels(refs, **SMALL, cache=tmp_path)[[0]][:] = 99
    assert levels(load_pixels(refs, **SMALL, cache=tmp_path)) == [10]


def test_no_images_at_all_are_zeros(tmp_path):
    build_pixels([None], **SMALL, cache=tmp_path, workers=1)
    assert list(tmp_path.iterdir()) == []
    assert len(load_pixels([], **SMALL, cache=tmp_path)) == 0
    assert load_pixels([None, None], **SMALL).is_missing.all()


def test_a_store_is_used_and_its_images_are_not_decoded_again(tmp_path, opened):
    refs = shard(tmp_path, [10, 20, 30])
    build_pixels(refs[:2], **SMALL, cache=tmp_path, workers=1)
    build_pixels(refs[1::-1], **SMALL, cache=tmp_path, workers=1)
    load_pixels(refs[:2], **SMALL, cache=tmp_path)
    assert opened == refs[:2]
    build_pixels(refs, **SMALL, cache=tmp_path, workers=1)
    assert opened == refs
    assert levels(load_pixels(refs, **SMALL, cache=tmp_path)) == [10, 20, 30]
    assert opened == refs


def test_stores_of_several_shapes_share_a_folder(tmp_path, opened):
    refs = shard(tmp_path, [10])
    for side_px, mode, aspect in [(8, "gray", "keep"), (8, "rgb", "keep"), (4, "gray", "keep"), (8, "gray", "squash")]:
        build_pixels(refs, side_px=side_px, mode=mode, aspect=aspect, cache=tmp_path / "cache", workers=1)
    assert len(opened) == 4
    assert len(list((tmp_path / "cache").iterdir())) == 8
    assert (tmp_path / "cache" / "pixels-gray-8-squash.npy").exists()


def test_the_same_images_give_the_same_bytes(tmp_path):
    refs = shard(tmp_path, [10, None, 30])
    for name in "ab":
        build_pixels(refs, **SMALL, cache=tmp_path / name, workers=1)
    one, other = ([path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in "ab")
    assert one == other


def spoil_index(folder: Path) -> None:
    (folder / "pixels-gray-8-keep.parquet").write_bytes(b"PAR1")


def lose_index(folder: Path) -> None:
    (folder / "pixels-gray-8-keep.parquet").unlink()


def lose_pixels(folder: Path) -> None:
    (folder / "pixels-gray-8-keep.npy").unlink()


def cut_pixels(folder: Path) -> None:
    path = folder / "pixels-gray-8-keep.npy"
    path.write_bytes(path.read_bytes()[:-40])


def index_of_others(folder: Path) -> None:
    path = folder / "pixels-gray-8-keep.parquet"
    index = pl.read_parquet(path)
    index.with_columns(image=pl.concat([index["image"][:1], index["image"][:0:-1]])).write_parquet(path)


@pytest.mark.parametrize("spoil", [spoil_index, lose_index, lose_pixels, cut_pixels, index_of_others])
def test_a_store_that_does_not_fit_its_index_is_no_store(tmp_path, spoil):
    refs, folder = shard(tmp_path, [10, 20]), tmp_path / "cache"
    build_pixels(refs, **SMALL, cache=folder, workers=1)
    spoil(folder)
    assert levels(load_pixels(refs, **SMALL, cache=folder)) == [10, 20]
    build_pixels(refs[:1], **SMALL, cache=folder, workers=1)
    assert levels(load_pixels(refs[:1], **SMALL, cache=folder)) == [10]


def test_pixels_opened_before_the_store_grew_stay_right(tmp_path):
    refs = shard(tmp_path, [10, 20])
    build_pixels(refs[:1], **SMALL, cache=tmp_path, workers=1)
    before = load_pixels(refs[:1], **SMALL, cache=tmp_path)
    build_pixels(refs, **SMALL, cache=tmp_path, workers=1)
    assert levels(before) == [10]


@pytest.mark.usefixtures("here")
def test_a_build_that_fails_leaves_the_store_as_it_was(tmp_path, monkeypatch):
    refs, folder = shard(tmp_path, [10, 20]), tmp_path / "cache"
    build_pixels(refs[:1], **SMALL, cache=folder, workers=1)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pixels, "shaped_image", fail)
    with pytest.raises(RunFolderError, match="space"):
        build_pixels(refs, **SMALL, cache=folder, workers=1)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_several_processes_build_the_same_store(tmp_path, monkeypatch):
    refs = shard(tmp_path, [10, None, 30, 40, 50, 60, 70])
    build_pixels(refs, **SMALL, cache=tmp_path / "one", workers=1)
    monkeypatch.setattr(chunks, "MANY", 1)
    monkeypatch.setattr(chunks, "CHUNK", 2)
    build_pixels(refs, **SMALL, cache=tmp_path / "two", workers=2)
    one, two = ([path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in ("one", "two"))
    assert one == two


def test_only_the_requested_rows_of_a_store_are_read(tmp_path):
    refs = shard(tmp_path, list(range(1, 41)))
    build_pixels(refs, side_px=512, mode="rgb", cache=tmp_path, workers=1)  # 31 MB
    tracemalloc.start()
    loaded = load_pixels(refs, side_px=512, mode="rgb", cache=tmp_path)
    assert loaded[[5, 30]][:, 0, 0, 0].tolist() == [6, 31]
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 6 * 3 * 512 * 512


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 24),
    st.sampled_from([1, 3]),
    st.sampled_from(["keep", "squash"]),
)
@settings(deadline=None, max_examples=100)
def test_every_image_becomes_a_square_between_its_own_levels(height, width, side_px, channels, aspect):
    image = np.random.default_rng(height).integers(50, 90, (height, width, channels), dtype=np.uint8)
    made = square(image, side_px, aspect)
    assert made.shape == (side_px, side_px, channels)
    inside = made[made != 255] if aspect == "keep" else made
    assert inside.size > 0
    assert inside.min() >= image.min()
    assert inside.max() <= image.max()


def test_keep_puts_white_around_and_squash_fills():
    image = np.zeros((8, 16, 1), dtype=np.uint8)
    assert square(image, 8, "keep")[:, 3, 0].tolist() == [255, 255, 0, 0, 0, 0, 255, 255]
    assert square(image.swapaxes(0, 1), 8, "keep")[3, :, 0].tolist() == [255, 255, 0, 0, 0, 0, 255, 255]
    assert (square(image, 8, "squash") == 0).all()


def test_crop_takes_the_square_in_the_middle():
    wide = (np.arange(8 * 16).reshape(8, 16, 1) * 2).astype(np.uint8)
    middle = wide[:, 4:12]
    tall = wide.transpose(1, 0, 2)
    np.testing.assert_array_equal(square(wide, 4, "crop"), square(middle, 4, "squash"))
    np.testing.assert_array_equal(square(tall, 4, "crop"), square(middle.transpose(1, 0, 2), 4, "squash"))
    np.testing.assert_array_equal(bilinear_square(wide, 4, "crop"), bilinear_square(middle, 4, "squash"))


def test_shrinking_is_an_exact_area_average():
    image = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    exact = image.reshape(8, 3, 8, 3, 3).mean(axis=(1, 3))
    assert np.abs(square(image, 8) - exact).max() <= 1


def test_the_height_may_grow_while_the_width_shrinks():
    image = np.repeat(np.array([[[0]], [[200]]], dtype=np.uint8), 64, axis=1)  # 2 high, 64 wide
    made = square(image, 8, "squash")[:, :, 0]
    assert (made == made[:, :1]).all()
    assert (np.diff(made[:, 0].astype(int)) >= 0).all()
    assert np.unique(made).size > 2  # bilinear, not steps


def test_a_photo_decoded_small_is_close_to_the_whole_one_averaged(tmp_path):
    coarse = np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    photo = Image.fromarray(coarse).resize((600, 600), Image.Resampling.BICUBIC)
    photo.save(tmp_path / "a.jpg", quality=95)
    [[gray]] = load_pixels([str(tmp_path / "a.jpg")], side_px=64, mode="gray")[[0]]
    exact = np.asarray(photo.convert("L").resize((64, 64), Image.Resampling.BOX)).astype(int)
    assert np.abs(gray - exact).mean() < 3


@pytest.mark.usefixtures("here")
def test_only_image_errors_make_an_image_missing(tmp_path, monkeypatch):
    refs = shard(tmp_path, [10])

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(shaped_images, "decode", broken)
    with pytest.raises(ZeroDivisionError):
        load_pixels(refs, **SMALL)
    monkeypatch.setattr(shaped_images, "decode", lambda *_, **__: (_ for _ in ()).throw(ImageError("decode_error")))
    assert load_pixels(refs, **SMALL).is_missing.tolist() == [True]


def test_a_cache_that_cannot_be_written_is_one_clear_line(tmp_path):
    refs = shard(tmp_path, [10])
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RunFolderError, match="Cannot write"):
        build_pixels(refs, **SMALL, cache=tmp_path / "file" / "cache", workers=1)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "x.parquet"}


STRIPES = np.zeros((64, 512), dtype=np.uint8)
STRIPES[:, 3::8] = STRIPES[:, 4::8] = 255


@pytest.mark.parametrize(("resampling", "level"), [("area", 64), ("bilinear", 255)])
@pytest.mark.parametrize("mode", ["gray", "rgb"])
def test_bilinear_takes_a_fine_pattern_for_another_and_area_averages_it(tmp_path, resampling, level, mode):
    file = io.BytesIO()
    Image.fromarray(STRIPES).save(file, "PNG")
    refs = write_images(tmp_path / "x.parquet", [file.getvalue()])
    loaded = load_pixels(refs, side_px=64, mode=mode, aspect="squash", resampling=resampling)
    assert np.unique(loaded[[0]]).tolist() == [level]


def test_bilinear_pixels_are_those_of_cv2_in_every_channel(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(colours).save(file, "PNG")
    refs = write_images(tmp_path / "x.parquet", [file.getvalue()])
    wanted = {"side_px": 16, "aspect": "squash", "resampling": "bilinear"}
    [shown] = load_pixels(refs, **wanted, mode="rgb")[[0]]
    assert [channel.tolist() for channel in shown] == [
        bilinear(np.ascontiguousarray(colours[:, :, place]), 16, 16).tolist() for place in range(3)
    ]
    [gray] = load_pixels(refs, **wanted, mode="gray")[[0]]
    assert gray[0].tolist() == gray_square(file.getvalue(), side_px=16).tolist()


def test_the_stores_of_both_resamplings_share_a_folder(tmp_path):
    refs = shard(tmp_path, [10])
    for resampling in ("area", "bilinear"):
        build_pixels(refs, **SMALL, resampling=resampling, cache=tmp_path / "cache", workers=1)
        assert levels(load_pixels(refs, **SMALL, resampling=resampling, cache=tmp_path / "cache")) == [10]
    names = sorted(path.name for path in (tmp_path / "cache").glob("*.npy"))
    assert names == ["pixels-gray-8-keep-bilinear.npy", "pixels-gray-8-keep.npy"]


def test_bilinear_keeps_an_aspect_on_white(tmp_path):
    refs = write_images(tmp_path / "x.parquet", [png(0, width_px=16, height_px=8)])
    [[shown]] = load_pixels(refs, **SMALL, resampling="bilinear")[[0]]
    assert shown[:, 0].tolist() == [255, 255, 0, 0, 0, 0, 255, 255]


@pytest.mark.parametrize("place", [0, 9, 12, 60, -40, -1])
def test_a_flipped_bit_of_a_store_changes_no_pixel(tmp_path, place):
    refs, folder = shard(tmp_path, [10, 20]), tmp_path / "cache"
    build_pixels(refs, **SMALL, cache=folder, workers=1)
    [path] = folder.glob("*.npy")
    whole = path.read_bytes()
    for at in (place, len(whole) - 33 - 64):
        data = bytearray(whole)
        data[at] ^= 4
        path.write_bytes(data)
        assert levels(load_pixels(refs, **SMALL, cache=folder)) == [10, 20]
        build_pixels([*refs, *shard(tmp_path, [30], name="y")], **SMALL, cache=folder, workers=1)
        assert levels(load_pixels(refs, **SMALL, cache=folder)) == [10, 20]


def test_damaged_pixels_of_an_image_that_is_gone_are_one_line(tmp_path):
    refs, folder = shard(tmp_path, [10, 20]), tmp_path / "cache"
    build_pixels(refs, **SMALL, cache=folder, workers=1)
    [path] = folder.glob("*.npy")
    data = bytearray(path.read_bytes())
    data[-33] ^= 4
    path.write_bytes(data)
    (tmp_path / "x.parquet").unlink()
    with pytest.raises(RunFolderError, match="damaged, and it cannot be read: run the study again"):
        levels(load_pixels(refs, **SMALL, cache=folder))
