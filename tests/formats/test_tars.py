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
from counterpoint.formats.tars import Cut, Lost, TarSample, index, read_tar

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


def read(folder: Path, data: bytes) -> list[TarSample | Cut]:
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
    assert samples[1] == TarSample("b", {"jpg": f"{tmp_path}/x.tar#b.jpg"}, {"txt": b"b txt", "json": b"b json"})


def test_the_key_has_the_folder_and_ends_at_the_first_dot(tmp_path):
    samples = read(tmp_path, tar_bytes({"x.y/7.seg.PNG": b"", "x.y/7.txt": b"t", "z/7.txt": b"u"}))
    assert [sample.key for sample in samples] == ["x.y/7", "z/7"]
    assert list(samples[0].images) == ["seg.png"]


def test_members_of_a_key_are_one_sample_wherever_they_stand(tmp_path):
    samples = read(tmp_path, tar_bytes({"a.jpg": b"1", "./b.jpg": b"2", "a.txt": b"3", "b.txt": b"4"}))
    assert [(sample.key, list(sample.images), list(sample.parts)) for sample in samples] == [
        ("a", ["jpg"], ["txt"]),
        ("./b", ["jpg"], ["txt"]),
    ]


def tar_of(*members: tuple[str, bytes, str]) -> bytes:
    """Return a tar of members (name, kind, link target), each regular file with its name as its content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, target in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            body = name.encode() if kind == tarfile.REGTYPE else b""
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return buffer.getvalue()


def test_files_that_are_no_part_of_a_sample_are_put_aside_with_the_reason(tmp_path):
    kinds = {"d": tarfile.DIRTYPE, "d/._7.jpg": tarfile.REGTYPE, "d/README": tarfile.REGTYPE, ".git/7.jpg": b"0",
             "d/7.jpg": b"0", "d/notes.md": b"0", "__MACOSX/7.jpg": b"0", "d/pipe": tarfile.FIFOTYPE}  # fmt: skip
    *aside, sample, last = read(tmp_path, tar_of(*((name, kind, "") for name, kind in kinds.items())))
    assert (sample.key, list(sample.images), sample.parts) == ("d/7", ["jpg"], {})
    assert [(each.name, each.reason) for each in [*aside, last]] == [
        ("d/._7.jpg", "hidden"),
        ("d/README", "not a picture"),
        (".git/7.jpg", "hidden"),
        ("__MACOSX/7.jpg", "hidden"),
        ("d/pipe", "special_member"),
        ("d/notes.md", "not a picture"),
    ]


def test_a_link_has_the_bytes_of_the_file_that_it_points_to(tmp_path):
    data = tar_of(
        ("c/1.jpg", b"0", ""), ("d/2.jpg", tarfile.LNKTYPE, "c/1.jpg"), ("d/3.jpg", tarfile.SYMTYPE, "../c/1.jpg"),
        ("d/4.jpg", tarfile.SYMTYPE, "3.jpg"), ("d/5.jpg", tarfile.SYMTYPE, "/etc/passwd"), ("d/6.jpg", b"1", "gone"),
        ("d/7.jpg", tarfile.SYMTYPE, "7.jpg"),
    )  # fmt: skip
    samples = read(tmp_path, data)
    assert [sample.images.get("jpg") for sample in samples] == [f"{tmp_path}/x.tar#c/1.jpg"] * 4 + [None] * 3
    assert [sample.lost for sample in samples[4:]] == [{"jpg": "linked_member"}] * 3


def test_a_sparse_member_is_lost_with_its_reason(tmp_path):
    member = tarfile.TarInfo("a.jpg")
    member.type = tarfile.GNUTYPE_SPARSE
    [sample] = read(tmp_path, member.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    assert (sample.images, sample.lost) == ({}, {"jpg": "sparse_member"})


@pytest.mark.parametrize("name", ["a.jfif", "a.JPE", "a.heic", "a.bin", "a", "a.png", "a.txt"])
def test_content_decides_whether_a_member_is_an_image(tmp_path, name):
    [sample] = read(tmp_path, tar_bytes({name: b"\xff\xd8\xff\xe0 and so on"}))
    assert list(sample.images.values()) == [f"{tmp_path}/x.tar#{name}"]


def test_members_of_a_key_that_come_again_are_lost(tmp_path):
    found = read(tmp_path, tar_bytes([("a.jpg", b"1"), ("a.JPG", b"2"), ("a.txt", b"3"), ("a.txt", b"4")]))
    assert [type(each).__name__ for each in found] == ["TarSample", "Lost"]
    assert found[1] == Lost("a", "duplicate_member")


def test_the_first_of_two_members_with_one_name_counts(tmp_path):
    data = tar_bytes([("a.txt", b"first"), ("a.txt", b"second")])
    sample, lost = read(tmp_path, data)
    offset, size = index(io.BytesIO(data))["a.txt"]
    assert sample.parts["txt"] == data[offset : offset + size] == b"first"
    assert lost == Lost("a")


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
def test_a_cut_tar_yields_the_whole_samples_and_then_a_cut(tmp_path_factory, cut):
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
        (b"\x1f\x8b\x08" + bytes(2000), "compressed, .* run gunzip on it first"),
        (b"BZh9" + bytes(2000), "run bunzip2"),
    ],
)
def test_a_file_that_is_no_tar_is_one_clear_line(tmp_path, data, word):
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
    assert (list(sample.parts), sample.lost) == (["txt"], {"bin": "too_large_member"})
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
    images = [ref for sample in samples if isinstance(sample, TarSample) for ref in sample.images.values()]
    assert all(ref.partition("#")[2] in places for ref in images)
