"""Tar shards: grouped as webdataset has it, whole up to a cut, and never more than a `SourceError`."""

import io
import signal
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.errors import SourceError
from counterpoint.formats.tars import Cut, Sample, index, read_tar

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
THREE = {f"{key}.{extension}": f"{key} {extension}".encode() for key in "abc" for extension in ("jpg", "txt", "json")}


def tar_bytes(files: dict[str, bytes] | list[tuple[str, bytes]], kind: str = "pax") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=FORMATS[kind]) as tar:
        for name, data in files.items() if isinstance(files, dict) else files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def read(folder: Path, data: bytes) -> list[Sample | Cut]:
    path = folder / "x.tar"
    path.write_bytes(data)
    return list(read_tar(path))


@contextmanager
def at_most_s(seconds: int) -> Iterator[None]:
    signal.alarm(seconds)  # an endless loop kills the run instead of hanging it
    try:
        yield
    finally:
        signal.alarm(0)


def test_a_sample_has_its_parts_and_references_but_no_image_bytes(tmp_path):
    samples = read(tmp_path, tar_bytes(THREE))
    assert [sample.key for sample in samples] == ["a", "b", "c"]
    assert samples[1] == Sample("b", {"jpg": f"{tmp_path}/x.tar#b.jpg"}, {"txt": b"b txt", "json": b"b json"})


def test_the_key_has_the_folder_and_ends_at_the_first_dot(tmp_path):
    samples = read(tmp_path, tar_bytes({"x.y/7.seg.PNG": b"", "x.y/7.txt": b"t", "z/7.txt": b"u"}))
    assert [sample.key for sample in samples] == ["x.y/7", "z/7"]
    assert list(samples[0].images) == ["seg.png"]


def test_neighbours_alone_are_one_sample(tmp_path):
    samples = read(tmp_path, tar_bytes({"a.txt": b"1", "b.txt": b"2", "a.cls": b"3"}))
    assert [sample.key for sample in samples] == ["a", "b", "a"]


def test_hidden_files_folders_and_links_belong_to_no_sample(tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind in {"d": tarfile.DIRTYPE, "d/._7.jpg": tarfile.REGTYPE, "d/README": tarfile.REGTYPE,
                           "d/7.png": tarfile.SYMTYPE, "d/7.jpg": tarfile.REGTYPE}.items():  # fmt: skip
            member = tarfile.TarInfo(name)
            member.type = kind
            tar.addfile(member)
    [sample] = read(tmp_path, buffer.getvalue())
    assert (sample.key, list(sample.images), sample.parts) == ("d/7", ["jpg"], {})


def test_the_first_of_two_members_with_one_name_counts(tmp_path):
    data = tar_bytes([("a.txt", b"first"), ("a.txt", b"second")])
    [sample] = read(tmp_path, data)
    offset, size = index(io.BytesIO(data))["a.txt"]
    assert sample.parts["txt"] == data[offset : offset + size] == b"first"


def test_names_that_are_not_unicode_stay_apart(tmp_path):
    data = tar_bytes({"a1.txt": b"1", "a2.txt": b"2"}, "gnu").replace(b"a1", b"a\xff").replace(b"a2", b"a\xfe")
    blocks = [bytearray(data[at : at + 512]) for at in range(0, len(data), 512)]
    for header in (blocks[0], blocks[2]):
        header[148:156] = b"%06o\0 " % (sum(header[:148]) + 256 + sum(header[156:]))
    keys = [sample.key for sample in read(tmp_path, b"".join(blocks))]
    assert keys == [r"a\xff", r"a\xfe"]
    assert all(key.encode() for key in keys)


@pytest.mark.parametrize("kind", FORMATS)
def test_long_and_foreign_names_are_read_and_indexed(tmp_path, kind):
    names = ["d/" + "n" * 90 + ".jpg", "é" * 40 + ".jpg", "e/" * 40 + "m" * 60 + ".jpg", "short.jpg"]
    data = tar_bytes({name: name.encode() for name in names}, kind)
    refs = [sample.images["jpg"] for sample in read(tmp_path, data)]
    assert refs == [f"{tmp_path}/x.tar#{name}" for name in names]
    places = index(io.BytesIO(data))
    assert [data[offset : offset + size].decode() for offset, size in places.values()] == names


@settings(deadline=None)
@given(cut=st.integers(1, len(tar_bytes(THREE)) - 1))
def test_a_cut_tar_yields_what_was_whole_and_then_says_so(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("tar")
    whole = read(folder, tar_bytes(THREE))
    end_mark = 9 * 1024 + 512  # nine members of a header and a block, then the first zero block
    try:
        *samples, last = read(folder, tar_bytes(THREE)[:cut])
    except SourceError:
        assert cut < 512
        return
    if cut >= end_mark:
        assert [*samples, last] == whole
    else:
        assert isinstance(last, Cut)
        assert samples == whole[: last.n_samples]
        assert last.key == "abc"[last.n_samples]
        assert cut > last.n_samples * 3 * 1024


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"a caption\n" * 200, "not an uncompressed tar"),
        (b"\x1f\x8b\x08" + bytes(2000), "uncompressed"),
    ],
)
def test_what_is_no_tar_is_one_clear_line(tmp_path, data, word):
    with pytest.raises(SourceError, match=word) as caught:
        read(tmp_path, data)
    assert "\n" not in str(caught.value)


def test_a_tar_that_is_not_there_is_a_source_error(tmp_path):
    with pytest.raises(SourceError, match="No such file"):
        list(read_tar(tmp_path / "none.tar"))
    with pytest.raises(SourceError, match="directory"):
        list(read_tar(tmp_path))


def test_an_empty_tar_has_no_samples(tmp_path):
    assert read(tmp_path, tar_bytes({})) == []


def header(kind: bytes, size: int) -> bytes:
    member = tarfile.TarInfo("a.txt")
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("size", [-512, -1024, 10**12, 2**70])
@pytest.mark.parametrize("kind", [b"0", b"S", b"L", b"K", b"x", b"g"])
def test_headers_that_lie_about_their_size_end_the_reading(tmp_path, kind, size, caplog):
    with at_most_s(10):
        samples = read(tmp_path, tar_bytes({"b.txt": b""})[:512] + header(kind, size) + bytes(2048))
    assert isinstance(samples[-1], Cut)


def test_a_thousand_nested_headers_end_the_reading(tmp_path):
    nested = header(b"L", 5) + b"name\0".ljust(512, b"\0")
    with at_most_s(10):
        samples = read(tmp_path, tar_bytes({"b.txt": b""})[:512] + nested * 2000 + bytes(2048))
    assert isinstance(samples[-1], Cut)


def test_a_part_too_large_for_a_caption_is_left_out_and_logged(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("counterpoint.formats.tars.MAX_PART_BYTES", 100)
    [sample] = read(tmp_path, tar_bytes({"a.bin": bytes(101), "a.txt": bytes(100)}))
    assert list(sample.parts) == ["txt"]
    assert "a.bin" in caplog.text


@settings(deadline=None)
@given(st.data())
def test_no_mutation_of_a_tar_raises_more_than_a_source_error(tmp_path_factory, data):
    names = ["a.jpg", "a.txt", "é" * 40 + ".txt", "d/" * 55 + "x.json"]
    bent = bytearray(tar_bytes({name: bytes(600) for name in names}, data.draw(st.sampled_from(sorted(FORMATS)))))
    for _ in range(data.draw(st.integers(1, 5))):
        at = 512 * data.draw(st.integers(0, len(bent) // 512 - 1))
        place = at + data.draw(st.sampled_from([0, 100, 124, 125, 135, 156, 257, 345, 400]))
        bent[place] = data.draw(st.integers(0, 255))
        block = bent[at : at + 512]
        bent[at + 148 : at + 156] = b"%06o\0 " % (sum(block[:148]) + 256 + sum(block[156:]))
    with at_most_s(10):
        try:
            samples = read(tmp_path_factory.mktemp("bent"), bytes(bent))
        except SourceError:
            return
        places = index(io.BytesIO(bytes(bent)))
    images = [ref for sample in samples if isinstance(sample, Sample) for ref in sample.images.values()]
    assert all(ref.partition("#")[2] in places for ref in images)
