"""Image references give the stored bytes, and an `ImageError` where there are none."""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.errors import ImageError
from counterpoint.formats.images import GROUP_BYTES, GROUP_IMAGES, ImageReader, row_ref, split_ref, write_images


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def reason(ref: str) -> str:
    with ImageReader() as reader, pytest.raises(ImageError) as caught:
        reader.read(ref)
    return caught.value.reason


@pytest.mark.parametrize(
    ("ref", "parts"),
    [
        ("/a/b.jpg", ("/a/b.jpg", None)),
        ("/a/no#1/b#2.jpg", ("/a/no#1/b#2.jpg", None)),
        ("/a#1/0.tar#d/7.jpg", ("/a#1/0.tar", "d/7.jpg")),
        ("/a/0.tar#x#y.jpg", ("/a/0.tar", "x#y.jpg")),
        ("/a/x.parquet#17@pic", ("/a/x.parquet", "17@pic")),
        ("/a/0.TAR#7.jpg", ("/a/0.TAR", "7.jpg")),
        ("/a/0.tar", ("/a/0.tar", None)),
    ],
)
def test_a_reference_names_a_file_or_a_place_inside_one(ref, parts):
    assert split_ref(ref) == parts


@pytest.mark.parametrize("name", ["x.tar#1.parquet", "x.parquet#1.parquet", "a.parquet#x/0.parquet"])
def test_a_file_whose_name_looks_like_a_place_is_read(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    refs = write_images(tmp_path / name, [b"first", b"second"])
    assert [split_ref(ref) for ref in refs] == [(str(tmp_path / name), str(row)) for row in range(2)]
    with ImageReader() as reader:
        assert [reader.read(ref) for ref in refs] == [b"first", b"second"]


def test_a_file_is_read_as_it_is(tmp_path):
    path = tmp_path / "no#1.jpg"
    path.write_bytes(b"\0\xff")
    with ImageReader() as reader:
        assert reader.read(str(path)) == b"\0\xff"


@settings(deadline=None, max_examples=30)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=12), st.data())
def test_members_of_tars_and_rows_of_shards_are_read_in_any_order(tmp_path_factory, images, data):
    folder = tmp_path_factory.mktemp("images")
    tar = write_tar(folder / "0.tar", {f"{number}.jpg": image for number, image in enumerate(images)})
    refs = [f"{tar}#{number}.jpg" for number in range(len(images))]
    refs += write_images(folder / "x.parquet", images)
    order = data.draw(st.permutations(range(len(refs))))
    with ImageReader(cache_bytes=1) as reader:
        assert [reader.read(refs[at]) for at in order] == [(images * 2)[at] for at in order]


def test_a_shard_is_written_in_small_row_groups(tmp_path):
    images = [bytes([number % 256]) * 3 for number in range(2 * GROUP_IMAGES + 1)]
    refs = write_images(tmp_path / "x.parquet", iter(images))
    with ImageReader() as reader:
        assert [reader.read(ref) for ref in refs] == images
    assert refs[-1] == row_ref(tmp_path / "x.parquet", len(images) - 1)
    large = [bytes(GROUP_BYTES // 2)] * 5
    write_images(tmp_path / "y.parquet", large)
    n_groups = [pl.scan_parquet(path).select(pl.len()).collect().item() for path in sorted(tmp_path.iterdir())]
    assert n_groups == [len(images), 5]
    assert [groups(tmp_path / name) for name in ("x.parquet", "y.parquet")] == [[64, 64, 1], [2, 2, 1]]


def groups(path: Path) -> list[int]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - a test's own look at the file

    with pq.ParquetFile(path) as file:
        return [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]


def test_a_shard_of_no_images_is_a_shard(tmp_path):
    assert write_images(tmp_path / "x.parquet", []) == []
    assert pl.read_parquet(tmp_path / "x.parquet").columns == ["image"]


def test_a_shard_that_fails_half_way_is_not_there(tmp_path):
    def images():
        yield b"first"
        raise KeyError("second")

    with pytest.raises(KeyError):
        write_images(tmp_path / "x.parquet", images())
    assert list(tmp_path.iterdir()) == []


def test_other_columns_and_hugging_face_structs_are_understood(tmp_path):
    path = tmp_path / "hf.parquet"
    structs = [{"bytes": b"one", "path": "1.jpg"}, {"bytes": None, "path": "2.jpg"}, None]
    pl.DataFrame({"image": structs, "picture": [b"a", None, b"c"], "n": [1, 2, 3]}).write_parquet(path)
    with ImageReader() as reader:
        assert reader.read(row_ref(path, 0)) == b"one"
        assert reader.read(row_ref(path, 2, "picture")) == b"c"
    for ref in (row_ref(path, 1), row_ref(path, 2), row_ref(path, 1, "picture"), row_ref(path, 0, "n")):
        assert reason(ref) == "missing_file"


@pytest.mark.parametrize("inside", ["3", "-1", "x", "0@none", "99999999999999999999", "@image"])
def test_a_row_or_column_that_is_not_there_is_missing(tmp_path, inside):
    write_images(tmp_path / "x.parquet", [b"1", b"2", b"3"])
    assert reason(f"{tmp_path}/x.parquet#{inside}") == "missing_file"


@pytest.mark.parametrize(
    "name", ["none.jpg", "none.tar#a.jpg", "none.parquet#0", ".", "a\0b.jpg", "x" * 5000, "\ud800.jpg"]
)
def test_a_reference_without_a_file_is_missing(tmp_path, name):
    assert reason(f"{tmp_path}/{name}") == "missing_file"


@pytest.mark.parametrize("name", ["x.tar#0.jpg", "x.parquet#0"])
@pytest.mark.parametrize("data", [b"", b"not what the name says" * 100])
def test_a_container_that_is_none_is_missing(tmp_path, name, data):
    (tmp_path / name.partition("#")[0]).write_bytes(data)
    assert reason(f"{tmp_path}/{name}") == "missing_file"


def test_a_pipe_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert reason(f"{tmp_path}/pipe.jpg") == "missing_file"


def test_a_file_too_large_for_an_image_is_not_read(tmp_path):
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert reason(str(path)) == "too_large"


def test_a_member_behind_the_cut_of_a_tar_is_missing_and_one_in_it_truncated(tmp_path):
    path = write_tar(tmp_path / "0.tar", {"a.jpg": bytes(600), "b.jpg": bytes(600), "c.jpg": bytes(600)})
    path.write_bytes(path.read_bytes()[: 2 * 1536 - 700])
    with ImageReader() as reader:
        assert reader.read(f"{path}#a.jpg") == bytes(600)
    assert reason(f"{path}#b.jpg") == "truncated_image"
    assert reason(f"{path}#c.jpg") == "missing_file"


def test_more_tars_than_may_stay_open_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("counterpoint.formats.images.N_OPEN", 2)
    tars = [write_tar(tmp_path / f"{number}.tar", {"a.jpg": b"%d" % number}) for number in range(5)]
    with ImageReader() as reader:
        for number in np.random.default_rng(0).integers(0, 5, 30):
            assert reader.read(f"{tars[number]}#a.jpg") == b"%d" % number
