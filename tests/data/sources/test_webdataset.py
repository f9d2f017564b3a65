import gzip
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from counterpoint.data.sources import open_source
from counterpoint.errors import SourceError
from source_material import GOOD, read, sample, write_tar

FLICKR8K = Path(os.environ.get("COUNTERPOINT_DATA", Path(__file__).parents[4] / "shared" / "data")) / "flickr8k"


def source(path, **own):
    return open_source({"kind": "webdataset", "path": path, **own})


def test_a_sample_gives_its_text_label_and_metadata(tmp_path):
    fields = {"key": "0000", "person": 1, "url": "https://a.org/x.jpg", "width": 640, "height": "?", "caption": "other"}
    write_tar(tmp_path / "0.tar", [sample(**fields), sample(person=None, key=7), sample(person=True, key="0002")])
    records, _ = read(source(tmp_path / "0.tar", label="person"), tmp_path)
    assert records["label"].to_list() == ["1", None, "true"]
    assert records["text_id"].null_count() == records["image_id"].null_count() == 3
    first = records.row(0, named=True)
    assert first["image"] == f"{tmp_path}/0.tar#0000.png"
    assert (first["host"], first["width"], first["height"], first["text"]) == ("a.org", 640, None, "a cat")


def test_a_json_field_is_compared_with_the_key_where_the_settings_name_it(tmp_path):
    write_tar(tmp_path / "0.tar", [sample(key="0000"), sample(key=7), sample(key="0002")])
    records, _ = read(source(tmp_path / "0.tar", text_id="key"), tmp_path)
    assert records["text_id"].to_list() == ["0000", "7", "0002"]
    assert records["image_id"].to_list() == ["0000", "0001", "0002"]
    with pytest.raises(SourceError, match=r"has field 'kye'. Found key"):
        read(source(tmp_path / "0.tar", text_id="kye"), tmp_path)


def test_the_text_may_be_a_json_field(tmp_path):
    write_tar(tmp_path / "0.tar", [sample(caption="from json"), sample(caption=None)])
    records, _ = read(source(tmp_path, text="caption"), tmp_path)
    assert records["text"].to_list() == ["from json", None]


def test_a_missing_modality_is_null_and_a_broken_one_is_dropped(tmp_path):
    broken = {**sample(), "json": b"{"}
    listed = {**sample(), "json": b"[1]"}
    samples = [sample(text=None), sample(image=None), broken, listed, sample(text=b"\xff\xfe"), sample(text=b"")]
    write_tar(tmp_path / "0.tar", samples)
    records, dropped = read(source(tmp_path), tmp_path)
    assert records.select("row", "text").rows() == [(0, None), (1, "a cat"), (5, "")]
    assert records["image"].is_null().to_list() == [False, True, False]
    assert dropped.select("row", "id", "reason").rows() == [
        (2, "0002", "bad_json"),
        (3, "0003", "bad_json"),
        (4, "0004", "bad_text"),
    ]


def test_halves_of_characters_in_json_are_bad_text(tmp_path):
    write_tar(tmp_path / "0.tar", [sample(caption="\ud800"), sample(caption="fine")])
    _, dropped = read(source(tmp_path, text="caption"), tmp_path)
    assert dropped["reason"].to_list() == ["bad_text"]


def test_a_key_that_an_earlier_shard_has_gets_the_name_of_its_shard(tmp_path):
    for shard in ("1.tar", "0.tar", ".hidden.tar"):
        write_tar(tmp_path / shard, [sample(name=shard)])
    for path in (tmp_path, tmp_path / "*.tar"):
        records, _ = read(source(path, text="name"), tmp_path)
        assert records.select("id", "text", "source").rows() == [
            ("0000", "0.tar", "0.tar"),
            ("1.tar/0000", "1.tar", "1.tar"),
        ]


def test_one_unreadable_shard_of_several_is_one_dropped_row_but_a_lone_one_is_refused(tmp_path):
    (tmp_path / "0.tar").write_bytes(b"")
    with pytest.raises(SourceError, match=r"0\.tar is not an uncompressed tar"):
        read(source(tmp_path), tmp_path)
    write_tar(tmp_path / "1.tar", [sample()])
    records, dropped = read(source(tmp_path), tmp_path)
    assert records["row"].to_list() == [1]
    assert dropped.select("row", "id", "reason").rows() == [(0, "0.tar", "unreadable_shard")]


def test_a_compressed_shard_is_named_with_the_program_that_unpacks_it(tmp_path):
    packed = gzip.compress(b"0" * 2000)
    (tmp_path / "0.tar").write_bytes(packed)
    with pytest.raises(SourceError, match=r"0\.tar is compressed, .*: run gunzip on it first"):
        read(source(tmp_path / "0.tar"), tmp_path)
    (tmp_path / "0.tar").rename(tmp_path / "0.tar.gz")
    for path in (tmp_path, tmp_path / "0.tar.gz"):
        with pytest.raises(SourceError, match=r"0.tar.gz is compressed, .*: run gunzip on it"):
            read(source(path), tmp_path)
    write_tar(tmp_path / "1.tar", [sample()])
    records, dropped = read(source(tmp_path), tmp_path)
    assert (len(records), dropped.select("id", "reason").rows()) == (1, [("0.tar.gz", "compressed_shard")])
    (tmp_path / "0.tar.gz").rename(tmp_path / "0.tar")
    assert read(source(tmp_path), tmp_path)[1].select("id", "reason").rows() == [("0.tar", "compressed_shard")]


def test_every_member_is_in_a_row_or_in_the_account(tmp_path, monkeypatch):
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        for name, kind in {"README": b"0", "a.png": b"0", "a.txt": b"0", "b.png": tarfile.SYMTYPE, "b.txt": b"0",
                           "c.txt": tarfile.GNUTYPE_SPARSE, "c.png": b"0", "._a.png": b"0"}.items():  # fmt: skip
            member = tarfile.TarInfo(name)
            member.type, member.size = kind, len(GOOD) if kind == b"0" else 0
            tar.addfile(member, io.BytesIO(GOOD if name.endswith("png") else b"a cat".ljust(len(GOOD))))
        tar.addfile(tarfile.TarInfo("a.txt"))
    (tmp_path / "0.parquet").touch()
    monkeypatch.chdir(tmp_path.parent)
    opened = source(tmp_path.name)
    records, dropped = read(opened, tmp_path)
    assert records["id"].to_list() == ["a"]
    assert dropped.select("id", "reason").rows() == [
        ("a", "duplicate_member"),
        ("b", "linked_member"),
        ("c", "sparse_member"),
    ]
    [found] = opened.findings()
    assert found["explanation"] == (
        "Files that are no rows: 1 hidden (0.tar#._a.png); 1 not a picture (0.tar#README); 1 not a shard (0.parquet)."
    )


def test_a_tar_without_rows_says_what_is_in_it(tmp_path):
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("README"))
    with pytest.raises(SourceError, match=r"has no rows\. Files that are no rows: 1 not a picture \(0\.tar#README\)"):
        read(source(tmp_path / "0.tar"), tmp_path)


def test_a_field_that_no_json_has_is_refused(tmp_path):
    write_tar(tmp_path / "0.tar", [sample(person=1)])
    with pytest.raises(SourceError, match=r"has field 'persn'. Found person. Did you mean 'person'"):
        read(source(tmp_path, label="persn"), tmp_path)
    write_tar(tmp_path / "0.tar", [sample()])
    with pytest.raises(SourceError, match=r"has field 'person'. Found nothing"):
        read(source(tmp_path, label="person"), tmp_path)


def test_a_folder_without_tars_says_what_it_holds(tmp_path):
    (tmp_path / "a.csv").touch()
    for path in (tmp_path, tmp_path / "*.tar"):
        with pytest.raises(SourceError, match=r"No tar shards at .*: needs .tar. Found a.csv"):
            read(source(path), tmp_path)


def test_the_wanted_extension_is_chosen(tmp_path):
    both = {"seg.png": GOOD, "jpg": GOOD, "txt": b"a", "json": json.dumps({}).encode()}
    write_tar(tmp_path / "0.tar", [both])
    assert read(source(tmp_path), tmp_path)[0]["image"][0].endswith("0000.seg.png")
    assert read(source(tmp_path, extensions=["webp", "jpg"]), tmp_path)[0]["image"][0].endswith("0000.jpg")
    assert read(source(tmp_path, extensions=["webp"]), tmp_path)[0]["image"][0] is None


@pytest.mark.skipif(not FLICKR8K.exists(), reason="the Flickr8k shards are not on this machine")
def test_flickr8k_is_read_whole(tmp_path):
    records, dropped = read(source(FLICKR8K, label="person"), tmp_path)
    assert (len(records), len(dropped)) == (8091, 0)
    assert dict(records["label"].value_counts().rows()) == {"1": 6033, "0": 1826, None: 232}
