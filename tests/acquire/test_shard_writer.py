"""A shard is the same to the byte however its slots came, and read as what the newest generation says."""

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.acquire.shard_writer import ShardWriter
from counterpoint.acquire.transcode import SlotOutcome
from counterpoint.errors import RunFolderError
from counterpoint.features.decode import Limits, decode
from counterpoint.formats.images import ImageReader
from counterpoint.formats.shard_markers import Marker, committed
from counterpoint.formats.shards import LISTED, REF, SHARD, read_listed, read_shard
from counterpoint.store import Store

pytestmark = pytest.mark.slow

OK = st.fixed_dictionaries({
    "sha256": st.sampled_from(["a", "b", "c"]),
    "phash": st.none() | st.integers(0, 2**64 - 1),
    "n_bytes": st.integers(0, 99),
    "image": st.binary(max_size=9),
})  # fmt: skip
FAILED = st.sampled_from([SlotOutcome("http_404"), SlotOutcome("not_image", sha256="a", n_bytes=3)])
ENDS = st.lists(OK.map(lambda known: SlotOutcome("ok", **known)) | FAILED, min_size=1, max_size=12)


def listed(n, *, start=0):
    rows = [{"slot": start + i, "id": f"i{i}", "url": f"http://h{i % 2}/{i}", "host": f"h{i % 2}", "text": f"t {i}"}
            for i in range(n)]  # fmt: skip
    return pl.DataFrame(rows, schema=dict(LISTED))


def write(store, ends, order=None, *, slots=None, generation=0, kept="original", **choices):
    slots = listed(len(ends)) if slots is None else slots
    writer = ShardWriter(slots, shard=0, generation=generation, kept=kept)
    for place in order or range(len(ends)):
        writer.add(slots["slot"][place], ends[place], 200)
    return writer.commit(store, **choices)


def rows_of(store, **choices):
    return pl.concat(read_shard(store, markers, **choices) for markers in committed(store).values())


@settings(max_examples=40, deadline=None)
@given(ends=ENDS, data=st.data(), duplicates=st.sampled_from(["keep", "mark"]))
def test_a_shard_is_the_same_to_the_byte_in_whatever_order_its_slots_ended(ends, data, duplicates):
    order = data.draw(st.permutations(range(len(ends))))
    with tempfile.TemporaryDirectory() as folder:
        one, other = Store(f"{folder}/1"), Store(f"{folder}/2")
        markers = write(one, ends, duplicates=duplicates), write(other, ends, order, duplicates=duplicates)
        assert markers[0] == markers[1]
        for name in ("shards/00000.parquet", "shards/00000.json"):
            assert one.read(name) == other.read(name)


@settings(max_examples=40, deadline=None)
@given(ends=ENDS)
def test_what_was_kept_is_read(ends):
    with tempfile.TemporaryDirectory() as folder, ImageReader() as reader:
        store = Store(folder)
        write(store, ends)
        rows = rows_of(store)
        assert rows.columns == [name for name in SHARD if name != "image"] + [REF]
        assert rows["slot"].to_list() == list(range(len(ends)))
        assert rows["status"].to_list() == [end.status for end in ends]
        assert rows["phash"].to_list() == [end.phash for end in ends]
        assert [ref and reader.read(ref) for ref in rows[REF]] == [end.image for end in ends]
        whole = pl.from_arrow(pq.read_table(Path(folder, "shards", "00000.parquet")))
        assert dict(whole.schema) == dict(SHARD)


@settings(max_examples=40, deadline=None)
@given(ends=ENDS)
def test_of_the_same_bytes_in_a_shard_the_first_slot_stays_ok(ends):
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        marker = write(store, ends, duplicates="mark")
        rows = rows_of(store)
        firsts = {end.sha256: slot for slot, end in reversed(list(enumerate(ends))) if end.status == "ok"}
        assert rows.filter(pl.col("status") == "ok")["slot"].to_list() == sorted(firsts.values())
        assert marker.statuses.get("ok", 0) + marker.statuses.get("duplicate", 0) == sum(e.status == "ok" for e in ends)
        assert rows.filter(pl.col("status") == "duplicate")[REF].null_count() == marker.statuses.get("duplicate", 0)
        images = pq.read_table(Path(folder, "shards", "00000.parquet"))["image"].to_pylist()
        assert [image is not None for image in images] == (rows["status"] == "ok").to_list()


def test_slots_may_end_in_several_threads(tmp_path):
    slots = listed(200)
    writer = ShardWriter(slots, shard=0, kept="original")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda slot: writer.add(slot, SlotOutcome("ok", image=b"%d" % slot), 200), range(200)))
    assert writer.n_left == 0
    writer.commit(Store(tmp_path))
    images = pq.read_table(tmp_path / "shards" / "00000.parquet")["image"].to_pylist()
    assert images == [b"%d" % slot for slot in range(200)]


def test_a_row_group_has_few_images_or_few_bytes(tmp_path):
    ends = [SlotOutcome("ok", image=bytes(n_bytes)) for n_bytes in [20_000] * 130 + [3 << 20] * 4 + [4096] * 300]
    write(Store(tmp_path), ends)
    metadata = pq.ParquetFile(tmp_path / "shards" / "00000.parquet").metadata
    assert [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)] == [64, 64, 5, 64, 237]
    names = [metadata.schema.column(i).name for i in range(metadata.num_columns)]
    found = {names[i]: metadata.row_group(0).column(i).compression for i in range(metadata.num_columns)}
    assert found["image"] == "UNCOMPRESSED"
    assert found["url"] == "ZSTD"


def test_a_marker_says_how_slots_ended_and_what_failed_where(tmp_path):
    store = Store(tmp_path)
    ends = [
        SlotOutcome("ok", sha256="a", n_bytes=7, image=b"x"),
        SlotOutcome("http_404"),
        SlotOutcome("http_404"),
        SlotOutcome("timeout_total"),
    ]
    marker = write(store, ends, replaces={"http_5xx": 4})
    assert marker == Marker.read(store, 0)
    assert marker.statuses == {"http_404": 2, "ok": 1, "timeout_total": 1}
    assert (marker.replaces, marker.body_bytes, marker.failing_hosts) == ({"http_5xx": 4}, 7, {"h1": 2, "h0": 1})
    assert marker.n_bytes == store.size("shards/00000.parquet")
    assert marker.is_true(store)


def test_a_retry_counts_for_the_slots_that_it_tried_and_no_other(tmp_path):
    store = Store(tmp_path)
    write(
        store,
        [
            SlotOutcome("ok", image=b"old"),
            SlotOutcome("timeout_total"),
            SlotOutcome("http_404"),
            SlotOutcome("http_5xx"),
        ],
    )
    again = listed(4)[[1, 3]]
    write(store, [SlotOutcome("ok", image=b"new"), SlotOutcome("too_slow")], slots=again, generation=1)
    write(store, [SlotOutcome("ok", image=b"newest")], slots=again[1:], generation=2)
    rows = rows_of(store)
    assert rows["status"].to_list() == ["ok", "ok", "http_404", "ok"]
    with ImageReader() as reader:
        assert [ref and reader.read(ref) for ref in rows[REF]] == [b"old", b"new", None, b"newest"]
    assert [marker.generation for marker in committed(store)[0]] == [0, 1, 2]


@pytest.mark.parametrize("harm", ["no shard", "shorter", "no marker", "half a marker", "another's marker", "no JSON"])
def test_a_shard_that_its_marker_does_not_fit_is_not_there(tmp_path, harm):
    store = Store(tmp_path)
    write(store, [SlotOutcome("timeout_total")])
    write(store, [SlotOutcome("ok", image=b"x")], generation=1)
    shard, marker = tmp_path / "shards" / "00000.parquet", tmp_path / "shards" / "00000.json"
    harms = {
        "no shard": shard.unlink,
        "shorter": lambda: shard.write_bytes(shard.read_bytes()[:-1]),
        "no marker": marker.unlink,
        "half a marker": lambda: marker.write_text(json.dumps({"shard": 0})),
        "another's marker": lambda: marker.write_text(marker.read_text().replace('"shard": 0', '"shard": 1')),
        "no JSON": lambda: marker.write_text("[1"),
    }
    harms[harm]()
    assert Marker.read(store, 0) is None
    assert committed(store) == {}


def test_a_shard_of_the_right_size_with_a_flipped_bit_is_found_out(tmp_path):
    store = Store(tmp_path)
    marker = write(store, [SlotOutcome("ok", image=b"x" * 99)])
    path = tmp_path / "shards" / "00000.parquet"
    path.write_bytes(path.read_bytes().replace(b"x" * 99, b"x" * 98 + b"y"))
    assert Marker.read(store, 0) == marker
    assert not marker.is_true(store)


def test_shards_of_an_object_store_are_read_through_copies(tmp_path):
    pytest.importorskip("fsspec", reason="the extra counterpoint[acquire] is not installed")
    store = Store(f"memory://{uuid4().hex}")
    ends = [SlotOutcome("ok", image=b"x"), SlotOutcome("http_404")]
    write(store, ends)
    assert rows_of(store)[REF].null_count() == 2
    rows = rows_of(store, copies=tmp_path / "copies")
    assert rows["status"].to_list() == ["ok", "http_404"]
    with ImageReader() as reader:
        assert reader.read(rows[REF][0]) == b"x"
    kept = next((tmp_path / "copies").iterdir()).stat().st_mtime_ns
    rows_of(store, copies=tmp_path / "copies")
    assert [path.stat().st_mtime_ns for path in (tmp_path / "copies").iterdir()] == [kept]


def test_the_list_of_a_shard_is_read_and_a_missing_one_is_one_line(tmp_path):
    store = Store(tmp_path)
    (tmp_path / "plan").mkdir()
    listed(3).write_parquet(tmp_path / "plan" / "00007.parquet")
    assert read_listed(store, 7).equals(listed(3))
    with pytest.raises(RunFolderError, match=r"holds no whole plan/00008\.parquet"):
        read_listed(store, 8)


def test_raw_gray_pixels_are_read_as_a_png_of_them(tmp_path):
    pixels = bytes(range(256)) * 16
    store = Store(tmp_path)
    write(store, [SlotOutcome("ok", image=pixels)], kept="gray-64")
    assert pq.read_table(tmp_path / "shards" / "00000.parquet")["image"].to_pylist() == [pixels]
    with ImageReader() as reader:
        image = reader.read(rows_of(store)[REF][0])
    for mode in ("gray", "rgb"):
        decoded = decode(image, limits=Limits(), mode=mode)
        assert all(decoded[:, :, channel].tobytes() == pixels for channel in range(decoded.shape[2]))


def test_a_slot_ends_once(tmp_path):
    writer = ShardWriter(listed(2), shard=0, kept="original")
    writer.add(0, SlotOutcome("http_404"))
    with pytest.raises(AssertionError, match="ended twice"):
        writer.add(0, SlotOutcome("http_404"))
    with pytest.raises(AssertionError, match="1 slots have not ended"):
        writer.commit(Store(tmp_path))
    writer.close()


FULL = """
import resource, sys
import polars as pl
from counterpoint.acquire.transcode import SlotOutcome
from counterpoint.acquire.shard_writer import ShardWriter
from counterpoint.errors import RunFolderError
from counterpoint.formats.shards import LISTED
from counterpoint.store import Store
writer = ShardWriter(pl.DataFrame([{"slot": 0}], schema=dict(LISTED)), shard=0, kept="original")
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
for n_bytes in (100_000, 19_000):
    try:
        writer.add(0, SlotOutcome("ok", image=bytes(n_bytes)), 200)
        writer.commit(Store(sys.argv[1]))
    except RunFolderError as error:
        print(error)
"""


def test_no_space_is_one_line_and_leaves_no_shard(tmp_path):
    pytest.importorskip("resource", reason="the system has no limit on the size of a file")
    script = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    assert "No space left to write a scratch file in" in done.stdout.splitlines()[0]
    assert list(tmp_path.rglob("*.parquet")) == []
