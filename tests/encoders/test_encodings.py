"""Vectors of pairs: in their order, found by content, kept, and never stale."""

import os
import shutil
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zlib import crc32

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from counterpoint.encoders import building, encodings, open_encoder
from counterpoint.encoders.base import Encoder, Floats
from counterpoint.encoders.building import build_encodings
from counterpoint.encoders.catalogue import CATALOGUE
from counterpoint.encoders.encodings import load_encodings
from counterpoint.encoders.store import VectorStore, made_segment, stored_segments, write_segment
from counterpoint.errors import ConfigError, RunFolderError, SchemaError
from counterpoint.features.decode import Pixels8
from counterpoint.features.shaped_images import ImageShape

HERE = f"{__name__}:"


class Letters(Encoder):
    """Counts letters of a text, and averages the channels of an image."""

    name = "letters"
    modalities = ("text", "image")
    width = 3

    def __init__(self, version: int = 1) -> None:
        self.version, self.n_rows = version, 0
        self.shape = ImageShape(8, "rgb", "squash", "area")

    @property
    def fingerprint(self) -> str:
        return sha256(f"letters {self.version}".encode()).hexdigest()

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        self.n_rows += len(texts)
        return np.array([[text.count(letter) for letter in "abc"] for text in texts], dtype=np.float32).reshape(-1, 3)

    def encode_images(self, images: Pixels8) -> Floats:
        self.n_rows += len(images)
        return images.mean(axis=(2, 3), dtype=np.float64).astype(np.float32)


class Broken(Letters):
    def encode_texts(self, texts: Sequence[str]) -> Floats:
        return np.full((len(texts), 3), np.nan, dtype=np.float32)


class Slow(Letters):
    """Loads for half a second, and then takes 4 ms for each text."""

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        time.sleep(0.004 * len(texts) if self.n_rows else 0.5)
        return super().encode_texts(texts)


class Narrow(Letters):
    def encode_texts(self, texts: Sequence[str]) -> Floats:
        return np.zeros((len(texts), 2), dtype=np.float32)


@pytest.fixture(autouse=True)
def new_process(monkeypatch, tmp_path_factory):
    """Let each test begin like a new process, which has loaded and kept nothing."""
    monkeypatch.setattr(building, "_loaded", {})
    folder = str(tmp_path_factory.mktemp("process"))
    monkeypatch.setattr(encodings, "folder_of_process", lambda: folder)


def of_texts(*texts: str | None) -> pl.DataFrame:
    return pl.DataFrame({"text": texts}, schema={"text": pl.String})


def many_texts(n: int) -> pl.DataFrame:
    return of_texts(*(f"{'a' * (i % 7)}{'b' * (i % 5)} {i}" for i in range(n)))


def photo(path: Path, colour: str) -> str:
    Image.new("RGB", (20, 10), colour).save(path)
    return str(path)


def folder_of(cache: Path) -> Path:
    (folder,) = cache.iterdir()
    return folder


@given(texts=st.lists(st.one_of(st.none(), st.text(alphabet="abc é", max_size=5)), max_size=30), seed=st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_every_row_has_the_vector_of_its_own_text(tmp_path_factory, texts, seed):
    cache, pairs = tmp_path_factory.mktemp("cache"), of_texts(*texts)
    expected = np.array([[(text or "").count(letter) for letter in "abc"] for text in texts]).reshape(-1, 3)
    for folder in (None, cache):
        if folder:
            build_encodings(pairs, Letters(), "text", cache=folder, engine="inline")
        found = load_encodings(pairs, Letters(), "text", cache=folder)
        rows = np.random.default_rng(seed).permutation(len(texts))
        np.testing.assert_array_equal(found[rows], expected[rows])
        assert found.is_missing.tolist() == [text is None for text in texts]


def test_rows_are_indexed_like_an_array():
    found = load_encodings(of_texts("a", "b", None, "cc"), Letters(), "text")
    assert (len(found), found.width) == (4, 3)
    assert found[:].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 2]]
    assert found[[-1, 0]].tolist() == [[0, 0, 2], [1, 0, 0]]
    assert found[~found.is_missing].shape == (3, 3)
    assert found.take([3, 3, 2])[1:].tolist() == [[0, 0, 2], [0, 0, 0]]
    assert found[[]].shape == (0, 3)


def test_equal_contents_are_encoded_once():
    encoder = Letters()
    load_encodings(of_texts("first a", "first a", None, "first b"), encoder, "text")
    assert encoder.n_rows == 2


def test_known_rows_are_not_encoded_again(tmp_path):
    pairs = many_texts(200)
    build_encodings(pairs, Letters(), "text", cache=tmp_path, engine="inline")
    encoder = Letters()
    build_encodings(pairs[50:150], encoder, "text", cache=tmp_path)
    found = load_encodings(pairs[::-1], encoder, "text", cache=tmp_path)
    np.testing.assert_array_equal(found[:], Letters().encode_texts(pairs["text"].to_list()[::-1]))
    assert encoder.n_rows == 0


def test_the_time_of_one_content_is_kept_without_that_to_load(tmp_path):
    assert building.encoding_s(tmp_path, Slow(), "text") is None
    build_encodings(many_texts(40), Slow(), "text", cache=tmp_path, engine="inline")
    assert 0.004 <= building.encoding_s(tmp_path, Slow(), "text") < 0.01
    build_encodings(many_texts(40), Slow(), "text", cache=tmp_path)  # nothing is lacking, and nothing is timed
    assert building.encoding_s(tmp_path, Slow(), "text") >= 0.004


def test_a_damaged_time_is_not_known(tmp_path):
    build_encodings(many_texts(4), Letters(), "text", cache=tmp_path)
    (kept,) = tmp_path.rglob(building.TIME)
    for damaged in ("[1]", "{", '{"s_a_content": "1"}', '{"s_a_content": -1.0}', '{"s_a_content": NaN}'):
        kept.write_text(damaged)
        assert building.encoding_s(tmp_path, Letters(), "text") is None


def test_many_rows_on_the_spot_are_kept_until_the_process_ends():
    pairs, encoder = of_texts(*(f"kept here {i}" for i in range(40))), Letters()
    load_encodings(pairs, encoder, "text")
    load_encodings(pairs, encoder, "text")
    assert encoder.n_rows == 40


def test_only_rows_that_are_lacking_are_encoded(tmp_path):
    pairs = many_texts(80)
    build_encodings(pairs[:60], Letters(), "text", cache=tmp_path)
    encoder = Letters()
    found = load_encodings(pairs, encoder, "text", cache=tmp_path)
    assert encoder.n_rows == 20
    np.testing.assert_array_equal(found[:], Letters().encode_texts(pairs["text"].to_list()))


def test_vectors_of_another_version_are_never_used(tmp_path):
    pairs = many_texts(20)
    build_encodings(pairs, Letters(1), "text", cache=tmp_path)
    encoder = Letters(2)
    load_encodings(pairs, encoder, "text", cache=tmp_path)
    assert encoder.n_rows == 20
    build_encodings(pairs, encoder, "text", cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_killed_build_keeps_finished_segments(tmp_path, monkeypatch):
    calls = []

    def dies(*args):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(1)
        return write_segment(*args)

    monkeypatch.setattr(building, "write_segment", dies)
    with pytest.raises(KeyboardInterrupt):
        build_encodings(many_texts(256), Letters(), "text", cache=tmp_path, engine="inline", workers=1)
    monkeypatch.undo()
    monkeypatch.setattr(building, "_loaded", {})
    encoder, counts = Letters(), []
    build_encodings(
        many_texts(256), encoder, "text", cache=tmp_path, engine="inline", workers=1,
        on_count=lambda done, total: counts.append((done, total)),
    )  # fmt: skip
    assert encoder.n_rows == 1 + 128  # the first one also loads the weights
    assert counts == [(64, 128), (128, 128)]


@pytest.mark.slow
def test_processes_give_the_same_vectors_and_a_second_builder_does_no_harm(tmp_path):
    pairs = many_texts(300)
    build_encodings(pairs, open_encoder(f"{HERE}Letters"), "text", cache=tmp_path / "two", workers=2)
    build_encodings(pairs, Letters(), "text", cache=tmp_path / "one", engine="inline")
    shutil.copytree(tmp_path / "one", tmp_path / "two", dirs_exist_ok=True)
    encoder = Letters()
    both = [load_encodings(pairs, encoder, "text", cache=tmp_path / name)[:] for name in ("one", "two")]
    np.testing.assert_array_equal(*both)
    assert encoder.n_rows == 0


def test_a_cluster_gives_the_same_vectors(tmp_path, cluster):
    if missing := CATALOGUE["minilm"].missing():
        pytest.skip(f"{', '.join(missing)} not installed: the extra counterpoint[encoders]")
    pairs, minilm = many_texts(130), open_encoder("minilm")
    build_encodings(pairs, minilm, "text", cache=tmp_path, engine="ray")
    assert sum(len(each.keys) for folder in tmp_path.glob("*/text") for each in stored_segments(folder, 384)) == 130
    found = load_encodings(pairs, minilm, "text", cache=tmp_path)
    np.testing.assert_array_equal(found[:], minilm.encode_texts(pairs["text"].to_list()))


@pytest.mark.parametrize("place", [-1, -9, -20, -45, 200, 3])
def test_a_flipped_bit_changes_no_vector(tmp_path, place):
    pairs = many_texts(40)
    build_encodings(pairs, Letters(), "text", cache=tmp_path)
    (path,) = folder_of(tmp_path).rglob("*.npy")
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)
    encoder, expected = Letters(), Letters().encode_texts(pairs["text"].to_list())
    found = load_encodings(pairs, encoder, "text", cache=tmp_path)
    np.testing.assert_array_equal(found[:], expected)
    np.testing.assert_array_equal(found[:], expected)
    assert encoder.n_rows >= 1
    building._loaded.clear()
    shutil.rmtree(encodings.folder_of_process())
    build_encodings(pairs, Letters(), "text", cache=tmp_path)
    again = Letters()
    np.testing.assert_array_equal(load_encodings(pairs, again, "text", cache=tmp_path)[:], expected)
    assert again.n_rows == 0


def test_a_file_that_is_cut_or_of_another_width_is_left_out(tmp_path):
    hashes = np.random.default_rng(0).integers(0, 256, (3, 32), dtype=np.uint8)
    path = write_segment(tmp_path, hashes, np.ones((3, 4), dtype=np.float32)).vectors
    assert len(stored_segments(tmp_path, 4)) == 1
    assert stored_segments(tmp_path, 5) == []
    np.testing.assert_array_equal(np.load(path), np.ones((3, 4)))
    path.write_bytes(path.read_bytes()[:-30])
    assert stored_segments(tmp_path, 4) == []
    path.write_bytes(b"\xff" * 8)
    assert stored_segments(tmp_path, 4) == []


def test_a_segment_has_the_same_bytes_on_every_machine_and_one_in_another_order_is_left_out(tmp_path):
    hashes = np.random.default_rng(0).integers(0, 256, (3, 32), dtype=np.uint8)
    vectors = np.arange(12, dtype=np.float32).reshape(3, 4)
    little, big = (write_segment(tmp_path / name, hashes, vectors.astype(kind)).vectors
                   for name, kind in (("little", "<f4"), ("big", ">f4")))  # fmt: skip
    assert little.read_bytes() == big.read_bytes()
    store = VectorStore(4, stored_segments(tmp_path / "big", 4))
    found, is_damaged = store.read(store.find(hashes))
    assert not is_damaged.any()
    np.testing.assert_array_equal(found, vectors)
    big.write_bytes(big.read_bytes().replace(b"<f4", b">f4"))
    assert stored_segments(tmp_path / "big", 4) == []


def test_a_segment_that_vanishes_while_it_is_open_is_encoded_again(tmp_path):
    pairs, encoder = many_texts(40), Letters()
    build_encodings(pairs, Letters(), "text", cache=tmp_path)
    found = load_encodings(pairs, encoder, "text", cache=tmp_path)
    shutil.rmtree(folder_of(tmp_path))
    np.testing.assert_array_equal(found[:], Letters().encode_texts(pairs["text"].to_list()))
    assert encoder.n_rows == 40


def test_rows_of_many_segments_are_found(tmp_path):
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 256, (500, 32), dtype=np.uint8)
    hashes[:, :7] = 0  # so that half of the prefixes, of eight bytes, collide
    vectors = rng.normal(size=(500, 2)).astype(np.float32)
    parts = np.array_split(rng.permutation(500), 90)
    for part in parts:
        write_segment(tmp_path, hashes[part], vectors[part])
    store = VectorStore(2, stored_segments(tmp_path, 2))
    found, is_damaged = store.read(store.find(hashes))
    assert not is_damaged.any()
    np.testing.assert_array_equal(found, vectors)
    assert store.find(np.full((1, 32), 255, dtype=np.uint8)).tolist() == [-1]


def test_the_first_of_two_segments_with_the_same_row_counts():
    hashes = np.zeros((1, 32), dtype=np.uint8)
    old, new = (made_segment(hashes, np.full((1, 2), value, dtype=np.float32)) for value in (1, 2))
    store = VectorStore(2, [new, old])
    assert store.read(store.find(hashes))[0].tolist() == [[2, 2]]


def test_drafts_of_killed_writers_are_removed(tmp_path):
    build_encodings(many_texts(3), Letters(), "text", cache=tmp_path)
    draft = folder_of(tmp_path) / "text" / ".0.npy.1-abc.tmp"
    draft.write_bytes(b"half")
    build_encodings(many_texts(3), Letters(), "text", cache=tmp_path)
    assert not draft.exists()


def test_images_are_found_by_their_bytes(tmp_path):
    cache = tmp_path / "cache"
    red, blue = photo(tmp_path / "red.png", "red"), photo(tmp_path / "blue.png", "blue")
    shutil.copy(red, tmp_path / "again.png")
    pairs = pl.DataFrame({"image": [red, None, blue, str(tmp_path / "again.png"), str(tmp_path / "gone.png")]})
    encoder = Letters()
    build_encodings(pairs, encoder, "image", cache=cache)
    found = load_encodings(pairs, encoder, "image", cache=cache)
    assert found[:].tolist() == [[255, 0, 0], [0, 0, 0], [0, 0, 255], [255, 0, 0], [0, 0, 0]]
    assert found.is_missing.tolist() == [False, True, False, False, True]
    assert encoder.n_rows == 1 + 2  # the first one also loads the weights
    with_hashes = pairs.head(1).with_columns(sha256=pl.lit(sha256(Path(red).read_bytes()).hexdigest()))
    os.remove(red)  # noqa: PTH107
    assert load_encodings(with_hashes, encoder, "image", cache=cache)[0:1].tolist() == [[255, 0, 0]]
    assert encoder.n_rows == 1 + 2


def test_an_image_that_changed_is_never_stored_under_its_old_hash(tmp_path):
    red = photo(tmp_path / "red.png", "red")
    pairs = pl.DataFrame({"image": [red], "sha256": [sha256(Path(red).read_bytes()).hexdigest()]})
    photo(tmp_path / "red.png", "green")
    with pytest.raises(SchemaError, match=r"red.png has another sha256 than its pair: it has changed\. Run the study"):
        build_encodings(pairs, Letters(), "image", cache=tmp_path / "cache")


def test_an_unreadable_image_is_missing_and_is_tried_again(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(b"no image")
    pairs = pl.DataFrame({"image": [str(path)]})
    build_encodings(pairs, Letters(), "image", cache=tmp_path / "cache")
    assert load_encodings(pairs, Letters(), "image", cache=tmp_path / "cache").is_missing.tolist() == [True]
    photo(path, "blue")
    assert load_encodings(pairs, Letters(), "image", cache=tmp_path / "cache")[:].tolist() == [[0, 0, 255]]


def test_a_damaged_row_of_an_image_that_is_gone_is_one_line(tmp_path):
    red = photo(tmp_path / "red.png", "red")
    pairs = pl.DataFrame({"image": [red], "sha256": [sha256(Path(red).read_bytes()).hexdigest()]})
    build_encodings(pairs, Letters(), "image", cache=tmp_path / "cache")
    (path,) = (tmp_path / "cache").rglob("*.npy")
    data = bytearray(path.read_bytes())
    data[-50] ^= 1
    path.write_bytes(data)
    found = load_encodings(pairs, Letters(), "image", cache=tmp_path / "cache")
    os.remove(red)  # noqa: PTH107
    with pytest.raises(RunFolderError, match=r"The stored vector of .*red.png is damaged, and it cannot be read"):
        found[:]


def test_an_encoder_that_returns_rubbish_is_one_line():
    with pytest.raises(ConfigError, match=r"'letters' returned NaN or infinite values in 2 of 2 rows\."):
        load_encodings(of_texts("x", "y"), Broken(), "text")
    with pytest.raises(ConfigError, match=r"returned float32 of shape \(1, 2\); expected float32 of shape \(1, 3\)\."):
        load_encodings(of_texts("z"), Narrow(), "text")


def test_a_modality_that_the_encoder_does_not_read_is_one_line(tmp_path):
    class Texts(Letters):
        modalities = ("text",)

    with pytest.raises(ConfigError, match=r"The encoder 'letters' reads no images\. It reads: text\."):
        load_encodings(of_texts("x"), Texts(), "image")
    with pytest.raises(SchemaError, match=r"Pairs lack image; found text\."):
        load_encodings(of_texts("x"), Letters(), "image")


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match=r"Cannot write .*: Not a directory"):
        build_encodings(of_texts("x"), Letters(), "text", cache=tmp_path / "file")


def test_checksums_cover_the_hash_and_the_vector():
    segment = made_segment(np.ones((1, 32), dtype=np.uint8), np.ones((1, 2), dtype=np.float32))
    assert segment.keys["checksum"][0] == crc32(np.ones(2, dtype=np.float32).tobytes(), crc32(bytes([1] * 32)))


def test_photos_of_bytes_in_memory_are_read(tmp_path):
    file = BytesIO()
    Image.new("RGB", (4, 4), "white").save(file, "PNG")
    path = tmp_path / "white"
    path.write_bytes(file.getvalue())
    assert load_encodings(pl.DataFrame({"image": [str(path)]}), Letters(), "image")[:].tolist() == [[255, 255, 255]]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("minlm", "Unknown encoder 'minlm'. Did you mean 'minilm'?"),
        (f"{HERE}Lettres", f"Cannot load encoder '{HERE}Lettres': module '{__name__}' has no 'Lettres'. "
         "Did you mean 'Letters'?"),
        ("pathlib:Path", "'pathlib:Path' is no encoder. It must be a subclass of counterpoint.encoders.base:Encoder."),
        ("counterpoint.encoders.base:Encoder", "The encoder 'counterpoint.encoders.base:Encoder' lacks fingerprint."),
        ("no_such_module:X", "Cannot load encoder 'no_such_module:X' from 'no_such_module:X': "
         "No module named 'no_such_module'."),
    ],
)  # fmt: skip
def test_a_wrong_name_is_one_line(name, line):
    with pytest.raises(ConfigError) as error:
        open_encoder(name)
    assert str(error.value) == line


def test_a_file_that_is_no_encoder_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v.csv").write_text("id,x\n")
    with pytest.raises(ConfigError) as error:
        open_encoder("v.csv")
    assert str(error.value) == ("The file 'v.csv' is no encoder. Allowed: a folder, or a file .onnx, .parquet, .npy.")


def test_a_hub_name_without_the_package_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ConfigError) as error:
        open_encoder("facebook/dinov2-small")
    assert str(error.value) == (
        "The encoder 'facebook/dinov2-small' needs huggingface_hub, transformers, not installed here: "
        "pip install 'counterpoint[hub]'."
    )


def test_a_class_from_outside_is_opened_with_the_device_where_it_takes_one():
    assert open_encoder(f"{HERE}Letters").width == 3
    assert open_encoder("counterpoint.encoders.minilm:MiniLM", device="cpu").width == 384
