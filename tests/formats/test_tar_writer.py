"""Tars that we write: read by webdataset and by our own source, equal bytes from equal pairs."""

import gc
import json
import tarfile
from hashlib import sha256

import pytest
import webdataset
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.data.sources import open_source
from counterpoint.formats.exports import Outgoing
from counterpoint.formats.tar_writer import write_tars
from counterpoint.formats.tars import TarSample, read_tar
from source_material import GOOD, IMAGES

PAIRS = [
    Outgoing(GOOD, "png", "a cat", "animal", {"url": "https://a.org/1.png", "width": 12, "height": 12}),
    Outgoing(IMAGES["jpeg"], "jpg", "ein Mädchen\n", "person", {"url": None, "width": 12, "height": 12}),
    Outgoing(GOOD, "png", "", None, {}),
    Outgoing(GOOD, "png", None, "animal", {}),
    Outgoing(GOOD, "png", "a dog", "animal", {}),
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # webdataset leaves its tars open
def test_webdataset_reads_the_written_pairs(tmp_path):
    assert write_tars(PAIRS, tmp_path, samples_per_tar=2) == 5
    urls = [str(path) for path in sorted(tmp_path.iterdir())]
    samples = list(webdataset.WebDataset(urls, shardshuffle=False).decode("rgb8"))
    gc.collect()  # what it left open is closed here, not in another test
    assert [sample["__key__"] for sample in samples] == ["000000", "000001", "000010", "000011", "000020"]
    assert [sample.get("txt") for sample in samples] == [pair.text for pair in PAIRS]
    assert [sample["json"]["label"] for sample in samples] == [pair.label for pair in PAIRS]
    assert all(sample[pair.extension].shape == (12, 12, 3) for sample, pair in zip(samples, PAIRS, strict=True))


def test_our_own_source_reads_the_written_pairs(tmp_path):
    write_tars(PAIRS, tmp_path / "out", samples_per_tar=2)
    ((records, dropped),) = open_source(
        {"kind": "webdataset", "path": tmp_path / "out", "label": "label", "text_id": "key"}
    ).read(tmp_path)
    assert dropped.is_empty()
    assert records["text"].to_list() == [pair.text for pair in PAIRS]
    assert records["label"].to_list() == [pair.label for pair in PAIRS]
    assert records["text_id"].equals(records["image_id"])
    assert records["url"].to_list()[:2] == ["https://a.org/1.png", None]


def test_headers_say_nothing_of_the_time_and_the_owner(tmp_path):
    write_tars(PAIRS, tmp_path)
    with tarfile.open(tmp_path / "00000.tar") as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in tar} == {(0, 0, 0, "", "", 0o644)}


def test_equal_pairs_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_tars(PAIRS, tmp_path / name)
    first, second = (sha256((tmp_path / name / "00000.tar").read_bytes()).hexdigest() for name in ("a", "b"))
    assert first == second


def test_of_no_pairs_there_is_no_tar(tmp_path):
    assert write_tars([], tmp_path / "out") == 0
    assert not (tmp_path / "out").exists()


def test_a_tar_that_is_full_is_followed_by_none_that_is_empty(tmp_path):
    write_tars(PAIRS[:4], tmp_path, samples_per_tar=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000.tar", "00001.tar"]


@settings(deadline=None, max_examples=30)
@given(
    texts=st.lists(st.one_of(st.none(), TEXTS), min_size=1, max_size=7),
    samples_per_tar=st.integers(1, 4),
    url=TEXTS,
)
def test_the_fields_of_a_pair_do_not_change_its_key(tmp_path_factory, texts, samples_per_tar, url):
    folder = tmp_path_factory.mktemp("tars")
    write_tars(
        [Outgoing(GOOD, "png", text, text, {"url": url}) for text in texts], folder, samples_per_tar=samples_per_tar
    )
    samples = [sample for path in sorted(folder.iterdir()) for sample in read_tar(path)]
    assert all(isinstance(sample, TarSample) and sample.key.isdigit() for sample in samples)
    assert len({sample.key for sample in samples}) == len(texts)
    read = [sample.parts.get("txt") for sample in samples]
    assert read == [None if text is None else text.encode() for text in texts]
    assert all(json.loads(sample.parts["json"])["key"] == sample.key for sample in samples)
